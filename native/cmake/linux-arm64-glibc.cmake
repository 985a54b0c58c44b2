# linux-arm64 with glibc, by Debian's cross compiler.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

# Pages may have 64 KiB here. GNU ld leaves that much of the file empty so that data begins on a page of its own; lld maps one
# page of the file twice instead. A cross compiler does not look for it where it is.
find_program(BUSBAR_LLD ld.lld REQUIRED)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/linker)
file(CREATE_LINK ${BUSBAR_LLD} ${CMAKE_BINARY_DIR}/linker/ld.lld SYMBOLIC)
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-fuse-ld=lld -B${CMAKE_BINARY_DIR}/linker/")
