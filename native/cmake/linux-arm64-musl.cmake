# linux-arm64 with musl.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(BUSBAR_ZIG_TARGET aarch64-linux-musl)
include(${CMAKE_CURRENT_LIST_DIR}/zig-musl.cmake)
