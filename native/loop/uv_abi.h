// The few functions of libuv that busbar uses, without uv.h: no struct layout is compiled in, handles are
// allocated by `uv_handle_size`. Constants are those of libuv 1.x, whose ABI has kept them since 1.0.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
struct uv_loop_s;
struct uv_handle_s;

using uv_close_cb = void (*)(uv_handle_s*);
using uv_poll_cb = void (*)(uv_handle_s*, int status, int events);
using uv_timer_cb = void (*)(uv_handle_s*);

size_t uv_handle_size(int type);
void uv_handle_set_data(uv_handle_s*, void*);
void* uv_handle_get_data(const uv_handle_s*);
void uv_ref(uv_handle_s*);
void uv_unref(uv_handle_s*);
void uv_close(uv_handle_s*, uv_close_cb);
int uv_poll_init(uv_loop_s*, uv_handle_s*, int fd);
int uv_poll_start(uv_handle_s*, int events, uv_poll_cb);
int uv_poll_stop(uv_handle_s*);
int uv_timer_init(uv_loop_s*, uv_handle_s*);
int uv_timer_start(uv_handle_s*, uv_timer_cb, uint64_t milliseconds, uint64_t repeat);
int uv_timer_stop(uv_handle_s*);
void uv_update_time(uv_loop_s*);
}

namespace busbar::loop {

inline constexpr int kUvPollHandle = 8;
inline constexpr int kUvTimerHandle = 13;
inline constexpr int kUvReadable = 1;
inline constexpr int kUvWritable = 2;
inline constexpr int kUvDisconnect = 4;

}  // namespace busbar::loop
