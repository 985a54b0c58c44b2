// Holds symbols to versions that old C libraries have, whatever glibc the build machine runs.
//
// glibc 2.32 and 2.34 moved libdl and libpthread into libc and gave their functions a new version, so that a
// build on a new system would not load on the systems that Node.js itself supports (2.28). There the
// functions are found in the libraries that the runtime itself needs. Included into every file by the build.
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
__asm__(".symver pthread_create,pthread_create@" BUSBAR_GLIBC_BASE);
__asm__(".symver pthread_join,pthread_join@" BUSBAR_GLIBC_BASE);
__asm__(".symver pthread_sigmask,pthread_sigmask@" BUSBAR_GLIBC_BASE);
#endif
