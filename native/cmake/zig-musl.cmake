# musl, by zig: the C++ compiler for musl that Debian has none of. BUSBAR_ZIG says where it is, and whoever includes
# this says for what it compiles (BUSBAR_ZIG_TARGET).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_CXX_COMPILER $ENV{BUSBAR_ZIG} c++ -target ${BUSBAR_ZIG_TARGET})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

# Debian has no C++ library for musl to link with, and zig's whole libc++ is too much: see native/compat/libcxx.cc.
set(BUSBAR_OWN_LIBCXX ON)
# Clang's -Os makes as much of this code as GCC's -O2. musl has POSIX's int where glibc has size_t, in `msghdr` and what
# goes with it; the glibc builds tell of all other conversions.
set(BUSBAR_COMPILE_OPTIONS -Os -fno-ident -Wno-shorten-64-to-32 -Wno-sign-compare)
