// Holds symbols to versions that old C libraries have, whatever glibc the build machine runs.
//
// glibc 2.34 moved libdl into libc and gave its functions a new version, so that a build on a new system
// would not load on the systems that Node.js itself supports (2.28). Included into every file by the build.
#pragma once

#include <features.h>

#if defined(__GLIBC__)
#if defined(__x86_64__)
#define BUSBAR_GLIBC_BASE "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define BUSBAR_GLIBC_BASE "GLIBC_2.17"
#elif defined(__arm__)
#define BUSBAR_GLIBC_BASE "GLIBC_2.4"
#elif defined(__riscv) && __riscv_xlen == 64
#define BUSBAR_GLIBC_BASE "GLIBC_2.27"
#endif
#endif

#if defined(BUSBAR_GLIBC_BASE)
__asm__(".symver dlopen,dlopen@" BUSBAR_GLIBC_BASE);
__asm__(".symver dlsym,dlsym@" BUSBAR_GLIBC_BASE);
__asm__(".symver dlclose,dlclose@" BUSBAR_GLIBC_BASE);
#endif
