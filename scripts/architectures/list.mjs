/**
 * The architectures that are emulated: QEMU's program for each, a Node.js from npm, and the libraries that it and the
 * addon need, from Debian. Nobody publishes a Node.js for riscv64 or for musl there, so those are loaded only
 * (`npm run check:loading`).
 */
import { emulator } from '../setup/system-packages.mjs';

/** libsystemd has the sd-bus library in it; the rest of the line is what it needs. */
const libraries = [
  ...['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1'],
  ...['libsystemd0', 'libcap2', 'libgcrypt20', 'libgpg-error0', 'liblz4-1', 'liblzma5', 'libzstd1'],
];

const node = (cpu, version) => ({ name: `node-linux-${cpu}`, version, executable: 'bin/node', cpu });

export const architectures = [
  {
    target: 'linux-arm64',
    qemu: emulator('qemu-aarch64-static'),
    systemRoot: { name: 'glibc-arm64', architecture: 'arm64', packages: libraries },
    node: node('arm64', '24.22.0'),
  },
  {
    target: 'linux-arm',
    qemu: emulator('qemu-arm-static'),
    systemRoot: { name: 'glibc-armhf', architecture: 'armhf', packages: libraries },
    // The newest that npm has. It is older than what package.json asks for, which is about `require` of modules.
    node: node('armv7l', '20.11.0'),
  },
];
