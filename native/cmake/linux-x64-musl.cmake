# linux-x64 with musl.
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(BUSBAR_ZIG_TARGET x86_64-linux-musl)
include(${CMAKE_CURRENT_LIST_DIR}/zig-musl.cmake)
