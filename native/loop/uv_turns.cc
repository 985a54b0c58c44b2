// Gives turns in an idle handle, and ends rounds in a check handle. Neither keeps the loop alive: the pollers
// do.
#include "loop/uv_turns.h"

#include <cstdlib>
#include <new>
#include <utility>

#include "base/clock.h"

namespace busbar::loop {

UvTurns* UvTurns::create(uv_loop_s* loop) {
  if (uv_handle_size == nullptr || uv_idle_init == nullptr || uv_check_init == nullptr) return nullptr;
  UvTurns* turns = new (std::nothrow) UvTurns(loop);
  if (turns == nullptr || turns->open()) return turns;
  delete turns;
  return nullptr;
}

bool UvTurns::open() {
  idle_ = static_cast<uv_handle_s*>(std::calloc(1, uv_handle_size(kUvIdleHandle)));
  check_ = static_cast<uv_handle_s*>(std::calloc(1, uv_handle_size(kUvCheckHandle)));
  if (idle_ == nullptr || check_ == nullptr) {
    std::free(idle_);
    std::free(check_);
    return false;
  }
  // Neither can fail.
  uv_idle_init(loop_, idle_);
  uv_check_init(loop_, check_);
  for (uv_handle_s* handle : {idle_, check_}) {
    uv_handle_set_data(handle, this);
    uv_unref(handle);
  }
  return true;
}

void UvTurns::add_poller() {
  if (pollers_++ == 0) uv_check_start(check_, on_check);
}

void UvTurns::remove_poller() {
  if (--pollers_ > 0) return;
  uv_check_stop(check_);
  uv_idle_stop(idle_);
  round_ends_ = 0;
}

uint64_t UvTurns::round_ends() {
  if (round_ends_ == 0) round_ends_ = monotonic_now() + kRoundMicroseconds;
  return round_ends_;
}

void UvTurns::offer(Turns::Taker& taker) {
  if (taker.is_waiting()) return;
  const bool is_first = round_ends_ == 0;
  const uint64_t ends = round_ends();
  if (is_first || monotonic_now() < ends) return turns_.run(taker);
  add(taker);
}

void UvTurns::add(Turns::Taker& taker) {
  turns_.add(taker);
  // Started within its own callback it runs in the next round all the same.
  uv_idle_start(idle_, on_idle);
}

void UvTurns::on_idle(uv_handle_s* handle) {
  UvTurns* self = static_cast<UvTurns*>(uv_handle_get_data(handle));
  self->turns_.run(self->round_ends());
  if (self->turns_.is_empty()) uv_idle_stop(self->idle_);
}

void UvTurns::on_check(uv_handle_s* handle) {
  static_cast<UvTurns*>(uv_handle_get_data(handle))->round_ends_ = 0;
}

void UvTurns::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  uv_close(idle_, on_closed);
  uv_close(check_, on_closed);
}

void UvTurns::on_closed(uv_handle_s* handle) {
  UvTurns* self = static_cast<UvTurns*>(uv_handle_get_data(handle));
  (handle == self->idle_ ? self->idle_ : self->check_) = nullptr;
  std::free(handle);
  if (self->idle_ != nullptr || self->check_ != nullptr) return;
  const std::function<void()> closed = std::move(self->closed_);
  delete self;
  if (closed) closed();
}

}  // namespace busbar::loop
