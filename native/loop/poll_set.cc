// Keeps one epoll instance and one timer for all pollers, and gives out the turns of a dispatch.
#include "loop/poll_set.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/thread_poller.h"

namespace busbar::loop {

namespace {

// The next dispatch finds further ones: epoll hands ready descriptors out in rotation.
constexpr int kFoundPerDispatch = 64;

}  // namespace

bool PollSet::open() {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  // The timer is the one source without a poller.
  epoll_event expired{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (epoll_ && timer_ && epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), &expired) == 0) return true;
  close();
  return false;
}

void PollSet::close() {
  epoll_.reset();
  timer_.reset();
  timer_deadline_ = kNoDeadline;
}

void PollSet::dispatch(uint64_t ends) {
  // A callback runs the event loop: what is ready stays so.
  if (dispatching_ || !epoll_) return;
  dispatching_ = true;
  collect_ready();
  collect_due();
  turns_.run(ends);
  dispatching_ = false;
  if (!turns_.is_empty()) owner_.dispatch_soon();
  set_timer();
}

void PollSet::collect_ready() {
  epoll_event events[kFoundPerDispatch];
  const int count = epoll_wait(epoll_.get(), events, kFoundPerDispatch, 0);
  for (int i = 0; i < count; i++) {
    if (events[i].data.ptr != nullptr) {
      turns_.add(*static_cast<ThreadPoller*>(events[i].data.ptr));
      continue;
    }
    uint64_t expirations;
    // So that it is not ready any more. Nothing to read means that it was set anew in the meantime.
    [[maybe_unused]] const ssize_t length = read(timer_.get(), &expirations, sizeof expirations);
    timer_deadline_ = kNoDeadline;
  }
}

void PollSet::collect_due() {
  if (deadlines_.empty()) return;
  const uint64_t now = monotonic_now();
  for (const auto& [deadline, poller] : deadlines_) {
    if (deadline > now) break;
    turns_.add(*poller);
  }
}

void PollSet::remove(ThreadPoller& poller) {
  turns_.remove(poller);
  if (--pollers_ == 0) owner_.on_empty();
}

void PollSet::watch_fd(ThreadPoller& poller, int fd, uint32_t before, uint32_t events) {
  // Not by asking for no events: epoll reports errors all the same, and would do so without end.
  const int operation = events == 0 ? EPOLL_CTL_DEL : before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  epoll_event wanted{.events = events, .data = {.ptr = &poller}};
  epoll_ctl(epoll_.get(), operation, fd, &wanted);
}

void PollSet::watch_deadline(ThreadPoller& poller, uint64_t before, uint64_t deadline) {
  if (before != kNoDeadline) deadlines_.erase({before, &poller});
  if (deadline != kNoDeadline) deadlines_.insert({deadline, &poller});
  if (deadline == 0) owner_.dispatch_soon();
  // At the end of a dispatch it is set once for all.
  if (!dispatching_) set_timer();
}

void PollSet::set_timer() {
  // Deadlines of 0 need no timer: their dispatch is under way. One that goes off too early does no harm.
  const auto first = deadlines_.lower_bound({1, nullptr});
  if (first == deadlines_.end() || first->first == timer_deadline_ || !timer_) return;
  timer_deadline_ = first->first;
  itimerspec time{};
  time.it_value.tv_sec = static_cast<time_t>(timer_deadline_ / 1000000);
  time.it_value.tv_nsec = static_cast<long>(timer_deadline_ % 1000000) * 1000;
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &time, nullptr);
}

void PollSet::count_reference(int difference) {
  const bool wanted_before = references_ > 0;
  references_ += difference;
  const bool wanted = references_ > 0;
  if (wanted != wanted_before) owner_.keep_alive(wanted);
}

}  // namespace busbar::loop
