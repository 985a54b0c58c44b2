import { join } from 'node:path';

/**
 * The binaries that the package ships: one row each. `platform`, `arch` and `libc` name the file, as node-gyp-build looks
 * for it; the rest is how to build it and the expected properties of the result. Another target is another row.
 */
export const targets = [
  {
    ...{ platform: 'linux', arch: 'x64', libc: 'glibc' },
    /** The name in readelf. */
    machine: 'Advanced Micro Devices X86-64',
    strip: 'strip',
    /** A CMake toolchain file, for targets that are not built with this machine's own compiler. */
    toolchain: undefined,
    /** The requirements of a build, each program with Debian's package. */
    tools: { 'g++': 'g++', strip: 'binutils' },
  },
  cross('arm64', 'AArch64', 'aarch64-linux-gnu', { 'ld.lld': 'lld' }),
  cross('arm', 'ARM', 'arm-linux-gnueabihf'),
  cross('riscv64', 'RISC-V', 'riscv64-linux-gnu'),
  musl('x64', 'Advanced Micro Devices X86-64', 'strip', 'binutils'),
  musl('arm64', 'AArch64', 'aarch64-linux-gnu-strip', 'binutils-aarch64-linux-gnu'),
];

/** A target of Debian's cross compilers, whose programs begin with the triplet. */
function cross(arch, machine, triplet, tools = {}) {
  return {
    ...{ platform: 'linux', arch, libc: 'glibc', machine },
    strip: `${triplet}-strip`,
    toolchain: join('native', 'cmake', `linux-${arch}-glibc.cmake`),
    tools: { [`${triplet}-g++`]: `g++-${triplet}`, [`${triplet}-strip`]: `binutils-${triplet}`, ...tools },
  };
}

/** A target of zig, which is not Debian's: prebuild.mjs installs it from npm. */
function musl(arch, machine, strip, binutils) {
  return {
    ...{ platform: 'linux', arch, libc: 'musl', machine, strip, zig: true },
    toolchain: join('native', 'cmake', `linux-${arch}-musl.cmake`),
    toolchainIncludes: [join('native', 'cmake', 'zig-musl.cmake')],
    tools: { [strip]: binutils },
  };
}

/** The binary's path below `prebuilds/`. */
export function fileOf({ platform, arch, libc }) {
  return `${platform}-${arch}/busbar.${libc}.node`;
}

/** The limits of every binary, whatever its C library. */
export const limits = {
  bytes: 222_000,
  exported: ['napi_register_module_v1', 'node_api_module_get_api_version_v1'],
  /** Electron refuses memory that V8 did not allocate. */
  externalMemory: /^(napi_create_external_(arraybuffer|buffer)|node_api_create_external_string_\w+)$/,
  /** Functions of libatomic, with which no binary is linked: GCC calls them if the processor lacks an instruction. */
  libatomic: /^__(atomic|sync)_/,
};

/** The libraries that a binary may need, and the newest versions of their symbols, by C library. */
export const floors = {
  /** The requirements of official builds of Node.js 20. */
  glibc: {
    needed: /^(libc\.so\.6|libstdc\+\+\.so\.6|libgcc_s\.so\.1|libdl\.so\.2|libm\.so\.6|ld-linux.*)$/,
    // GCC is libgcc, which ARM and RISC-V need for operations without an instruction.
    versions: { GLIBC: [2, 28], GLIBCXX: [3, 4, 21], CXXABI: [1, 3, 9], GCC: [4, 3] },
  },
  /**
   * The C library alone, which musl's loader knows by either name and which has no versions. Alpine's Node.js includes
   * libstdc++, but there is none for musl to link with here, and a binary that needs none also loads into a statically
   * linked Node.js. See native/compat/libcxx.cc, which takes a few hundred bytes instead.
   */
  musl: { needed: /^libc(\.musl-\w+)?\.so(\.1)?$/, versions: {} },
};
