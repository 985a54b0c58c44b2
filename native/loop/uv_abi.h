// The few functions of libuv that busbar uses, without uv.h: no struct layout is compiled in, handles are
// allocated by `uv_handle_size`. Constants are those of libuv 1.x, whose ABI has kept them since 1.0.
//
// Weak, because a runtime without libuv may lack any of them, and would refuse to load the addon. None
// may be called unless the poller 'uv' was asked for.
#pragma once

#include <cstddef>
#include <cstdint>

#define BUSBAR_WEAK __attribute__((weak))

extern "C" {
struct uv_loop_s;
struct uv_handle_s;

using uv_close_cb = void (*)(uv_handle_s*);
using uv_poll_cb = void (*)(uv_handle_s*, int status, int events);
using uv_timer_cb = void (*)(uv_handle_s*);
using uv_idle_cb = void (*)(uv_handle_s*);
using uv_check_cb = void (*)(uv_handle_s*);

BUSBAR_WEAK size_t uv_handle_size(int type);
BUSBAR_WEAK void uv_handle_set_data(uv_handle_s*, void*);
BUSBAR_WEAK void* uv_handle_get_data(const uv_handle_s*);
BUSBAR_WEAK void uv_ref(uv_handle_s*);
BUSBAR_WEAK void uv_unref(uv_handle_s*);
BUSBAR_WEAK void uv_close(uv_handle_s*, uv_close_cb);
BUSBAR_WEAK int uv_poll_init(uv_loop_s*, uv_handle_s*, int fd);
BUSBAR_WEAK int uv_poll_start(uv_handle_s*, int events, uv_poll_cb);
BUSBAR_WEAK int uv_poll_stop(uv_handle_s*);
BUSBAR_WEAK int uv_timer_init(uv_loop_s*, uv_handle_s*);
BUSBAR_WEAK int uv_timer_start(uv_handle_s*, uv_timer_cb, uint64_t milliseconds, uint64_t repeat);
BUSBAR_WEAK int uv_timer_stop(uv_handle_s*);
BUSBAR_WEAK int uv_idle_init(uv_loop_s*, uv_handle_s*);
BUSBAR_WEAK int uv_idle_start(uv_handle_s*, uv_idle_cb);
BUSBAR_WEAK int uv_idle_stop(uv_handle_s*);
BUSBAR_WEAK int uv_check_init(uv_loop_s*, uv_handle_s*);
BUSBAR_WEAK int uv_check_start(uv_handle_s*, uv_check_cb);
BUSBAR_WEAK int uv_check_stop(uv_handle_s*);
}

#undef BUSBAR_WEAK

namespace busbar::loop {

// What Node-API hands out, to code that names no symbol of libuv.
using UvLoop = uv_loop_s;

inline constexpr int kUvCheckHandle = 2;
inline constexpr int kUvIdleHandle = 6;
inline constexpr int kUvPollHandle = 8;
inline constexpr int kUvTimerHandle = 13;
inline constexpr int kUvReadable = 1;
inline constexpr int kUvWritable = 2;
inline constexpr int kUvDisconnect = 4;

}  // namespace busbar::loop
