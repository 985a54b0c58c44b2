/**
 * What is not this machine's own architecture and C library, but can be run on it: each with a runtime from npm, as a
 * program that is made of it and of what it needs from Debian, the `tools` for that, and what it runs `under`. Nobody
 * publishes a Node.js for riscv64 or for musl there; those binaries are loaded only (`npm run check:loading`).
 */
import { muslBun, muslVersion } from '../musl/bun.mjs';
import { emulator, program } from '../setup/system-packages.mjs';
import { emulatedNode, emulatorVersion } from './emulated-node.mjs';

/** libsystemd has the sd-bus library in it; the rest of the line is what it needs. */
const libraries = [
  ...['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1'],
  ...['libsystemd0', 'libcap2', 'libgcrypt20', 'libgpg-error0', 'liblz4-1', 'liblzma5', 'libzstd1'],
];

export const architectures = [
  emulated({ arch: 'arm64', debian: 'arm64', cpu: 'arm64', version: '24.22.0', qemu: 'qemu-aarch64-static' }),
  // The newest that npm has. It is older than what package.json asks for, which is about `require` of modules.
  emulated({ arch: 'arm', debian: 'armhf', cpu: 'armv7l', version: '20.11.0', qemu: 'qemu-arm-static' }),
  {
    ...{ id: 'musl', target: 'linux-x64 musl', runtime: 'Bun', pollers: ['thread'] },
    tools: [program('gcc', 'gcc'), program('g++', 'g++'), program('readelf', 'binutils')],
    program: muslBun,
    under: () => `musl ${muslVersion()}`,
    // Tests of the addon alone have node-gyp-build load it, which knows musl by a file of Alpine's, or by this.
    env: { LIBC: 'musl' },
    patience: 1,
  },
];

function emulated({ arch, debian, cpu, version, qemu }) {
  const systemRoot = { name: `glibc-${arch}`, architecture: debian, packages: libraries };
  const node = { name: `node-linux-${cpu}`, version, executable: 'bin/node', foreign: true };
  return {
    ...{ id: arch, target: `linux-${arch} glibc`, runtime: 'Node.js', pollers: ['uv', 'thread'] },
    tools: [emulator(qemu)],
    program: () => emulatedNode({ qemu, systemRoot, node }),
    under: () => `QEMU ${emulatorVersion(qemu)}`,
    env: {},
    patience: 5,
  };
}
