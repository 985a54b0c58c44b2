/**
 * The binaries that no runtime loads here, because there is none to be had for them: what loads them instead. Each has a
 * compiler for the host program, `flags` that make it a program of that C library, and the loader that runs it.
 */
import { join } from 'node:path';
import { muslX64 } from '../musl/bun.mjs';
import { unpackForeign } from '../setup/foreign-packages.mjs';
import { emulator, program } from '../setup/system-packages.mjs';

const gcc = program('gcc', 'gcc');
const crossGcc = (triplet) => program(`${triplet}-gcc`, `gcc-${triplet}`);

export const loadings = [
  musl({ arch: 'x64', packages: muslX64, machine: 'x86_64', compiler: gcc }),
  musl({
    ...{ arch: 'arm64', machine: 'aarch64', compiler: crossGcc('aarch64-linux-gnu') },
    packages: { ...muslX64, name: 'musl-arm64', architecture: 'arm64' },
    qemu: emulator('qemu-aarch64-static'),
  }),
  {
    file: 'linux-riscv64/busbar.glibc.node',
    compiler: crossGcc('riscv64-linux-gnu'),
    qemu: emulator('qemu-riscv64-static'),
    libraries: program('riscv64-linux-gnu-g++', 'g++-riscv64-linux-gnu'),
    systemRoot: () => '/usr/riscv64-linux-gnu',
    flags: () => ['-ldl'],
    loader: 'lib/libc.so.6',
  },
];

/**
 * Debian's musl: neither built nor linked by zig, which makes the binaries. The host is put together as musl-gcc does,
 * which exists for this machine only.
 */
function musl({ arch, packages, machine, compiler, qemu }) {
  return {
    file: `linux-${arch}/busbar.musl.node`,
    ...{ compiler, qemu },
    systemRoot: () => unpackForeign(packages),
    flags(systemRoot, headersOfCompiler) {
      const headers = join(systemRoot, 'usr/include', `${machine}-linux-musl`);
      const objects = join(systemRoot, 'usr/lib', `${machine}-linux-musl`);
      const loader = `/lib/ld-musl-${machine}.so.1`;
      return [
        ...['-nostdinc', '-isystem', headers, '-isystem', headersOfCompiler],
        ...['-nostdlib', '-fPIE', '-pie', `-Wl,-dynamic-linker,${loader}`],
        ...['Scrt1.o', 'crti.o', 'crtn.o'].map((name) => join(objects, name)),
        ...['-L', join(systemRoot, 'lib', `${machine}-linux-musl`), '-l:libc.so', '-lgcc'],
      ];
    },
    loader: `lib/ld-musl-${machine}.so.1`,
  };
}
