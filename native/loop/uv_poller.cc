// Keeps two uv handles or three, each of which is freed in its close callback, and the poller with the last.
#include "loop/uv_poller.h"

#include <sys/timerfd.h>

#include <cstdlib>
#include <new>
#include <utility>

#include "base/clock.h"

namespace busbar::loop {

namespace {

// A deadline so far away may be late by a millisecond.
constexpr uint64_t kFar = 5000;

uint64_t microseconds_until(uint64_t deadline) {
  if (deadline == 0) return 0;
  const uint64_t now = monotonic_now();
  return deadline > now ? deadline - now : 0;
}

}  // namespace

UvPoller* UvPoller::create(UvTurns& turns, Client& client) {
  if (uv_poll_init == nullptr) return nullptr;
  UvPoller* poller = new (std::nothrow) UvPoller(turns, client);
  if (poller == nullptr) return nullptr;
  poller->timer_ = poller->allocate(kUvTimerHandle);
  if (poller->timer_ == nullptr || uv_timer_init(poller->loop_, poller->timer_) != 0) {
    std::free(poller->timer_);
    delete poller;
    return nullptr;
  }
  poller->handles_++;
  // The poll handle decides whether the loop stays alive, for as long as there is a descriptor.
  uv_unref(poller->timer_);
  turns.add_poller();
  return poller;
}

uv_handle_s* UvPoller::allocate(int type) {
  void* memory = std::calloc(1, uv_handle_size(type));
  uv_handle_s* handle = static_cast<uv_handle_s*>(memory);
  if (handle != nullptr) uv_handle_set_data(handle, this);
  return handle;
}

void UvPoller::watch(const Interest& interest) {
  if (client_ == nullptr) return;
  int events = (interest.readable ? kUvReadable : 0) | (interest.writable ? kUvWritable : 0) |
               (interest.hangup ? kUvDisconnect : 0);
  // Only a handle that waits for something keeps the loop alive, until the deadline too.
  if (events == 0 && interest.deadline != kNoDeadline) events = kUvDisconnect;
  watch_fd(interest.fd, events);
  watch_deadline(interest.deadline);
  // A turn that was put off is not taken when nothing is waited for any more.
  if (events == 0) turns_.remove(*this);
}

void UvPoller::watch_fd(int fd, int events) {
  if (fd != fd_) {
    release(poll_);
    fd_ = fd;
    armed_ = 0;
    if (fd < 0) return;
    poll_ = allocate(kUvPollHandle);
    if (poll_ == nullptr) return;
    if (uv_poll_init(loop_, poll_, fd) != 0) {
      std::free(std::exchange(poll_, nullptr));
      return;
    }
    handles_++;
    if (!referenced_) uv_unref(poll_);
  }
  // Starting costs two system calls even if nothing changes.
  if (poll_ == nullptr || events == armed_) return;
  armed_ = events;
  if (events == 0) {
    uv_poll_stop(poll_);
  } else {
    uv_poll_start(poll_, events, on_ready);
  }
}

void UvPoller::watch_deadline(uint64_t deadline) {
  // A descriptor that is gone keeps nothing alive, and its owner does not know of the end yet.
  const uint64_t left = deadline == kNoDeadline ? 0 : microseconds_until(deadline);
  if (fd_ < 0 && deadline != kNoDeadline) {
    close_alarm();
    return hold_by_timer(left / 1000 + 1);
  }
  timer_holds_ = false;
  update_timer_reference();
  const bool has_alarm = left > 0 && left < kFar && set_alarm(deadline);
  if (!has_alarm) close_alarm();
  if (has_alarm || left == 0) {
    uv_timer_stop(timer_);
    if (deadline != kNoDeadline && left == 0) turns_.add(*this);
    return;
  }
  // Rounded up: a timer that fires early would find nothing to do.
  uv_timer_start(timer_, on_timer, (left + 999) / 1000, 0);
}

bool UvPoller::set_alarm(uint64_t deadline) {
  if (alarm_ == nullptr && !open_alarm()) return false;
  itimerspec setting{};
  setting.it_value = {static_cast<time_t>(deadline / 1000000), static_cast<long>(deadline % 1000000 * 1000)};
  return timerfd_settime(alarm_fd_.get(), TFD_TIMER_ABSTIME, &setting, nullptr) == 0;
}

bool UvPoller::open_alarm() {
  UniqueFd fd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (fd.get() < 0) return false;
  uv_handle_s* handle = allocate(kUvPollHandle);
  if (handle == nullptr) return false;
  if (uv_poll_init(loop_, handle, fd.get()) != 0) {
    std::free(handle);
    return false;
  }
  handles_++;
  // As the timer, it does not keep the loop alive.
  uv_unref(handle);
  uv_poll_start(handle, kUvReadable, on_alarm);
  alarm_ = handle;
  alarm_fd_ = std::move(fd);
  return true;
}

void UvPoller::close_alarm() {
  release(alarm_);
  alarm_fd_.reset();
}

void UvPoller::ref() {
  referenced_ = true;
  if (poll_ != nullptr) uv_ref(poll_);
  update_timer_reference();
}

void UvPoller::unref() {
  referenced_ = false;
  if (poll_ != nullptr) uv_unref(poll_);
  update_timer_reference();
}

// Not for 0: libuv before 1.48 runs a timer of 0 that is started in a timer's callback without end. The timer
// repeats, because the turn that it asks for may be put off, and libuv looks whether anything keeps the loop
// alive right after the timers: one that has run does not. What is watched next stops it.
void UvPoller::hold_by_timer(uint64_t milliseconds) {
  uv_timer_start(timer_, on_timer, milliseconds, 1);
  timer_holds_ = true;
  update_timer_reference();
}

void UvPoller::update_timer_reference() {
  if (timer_ == nullptr) return;
  if (referenced_ && timer_holds_) {
    uv_ref(timer_);
  } else {
    uv_unref(timer_);
  }
}

void UvPoller::close(std::function<void()> closed) {
  client_ = nullptr;
  closed_ = std::move(closed);
  turns_.remove(*this);
  turns_.remove_poller();
  fd_ = -1;
  release(poll_);
  release(timer_);
  close_alarm();
}

void UvPoller::release(uv_handle_s*& handle) {
  if (handle == nullptr) return;
  // Stops it, too: libuv makes no further callback but the close callback.
  uv_close(std::exchange(handle, nullptr), on_released);
}

void UvPoller::on_released(uv_handle_s* handle) {
  UvPoller* self = static_cast<UvPoller*>(uv_handle_get_data(handle));
  std::free(handle);
  if (--self->handles_ > 0 || self->client_ != nullptr) return;
  const std::function<void()> closed = std::move(self->closed_);
  delete self;
  if (closed) closed();
}

void UvPoller::on_ready(uv_handle_s* handle, int status, int) {
  UvPoller* self = static_cast<UvPoller*>(uv_handle_get_data(handle));
  // libuv stops the handle when the descriptor is in error: the next `watch` has to start it again.
  if (status < 0) self->armed_ = 0;
  self->offer_turn();
  // Until a turn that was put off is taken, nothing else keeps the loop alive.
  if (self->client_ != nullptr && self->armed_ == 0 && self->is_waiting()) self->hold_by_timer(1);
}

void UvPoller::on_timer(uv_handle_s* handle) {
  static_cast<UvPoller*>(uv_handle_get_data(handle))->offer_turn();
}

void UvPoller::on_alarm(uv_handle_s* handle, int, int) {
  // It rings on until it is set anew or closed: reading it would be a system call more.
  static_cast<UvPoller*>(uv_handle_get_data(handle))->offer_turn();
}

void UvPoller::offer_turn() {
  if (client_ != nullptr) turns_.offer(*this);
}

void UvPoller::on_turn() { client_->on_poll(); }

}  // namespace busbar::loop
