// Keeps the set up to date with what one poller waits for, and with whether that keeps the event loop alive.
#include "loop/thread_poller.h"

#include <sys/epoll.h>

#include <new>
#include <utility>

namespace busbar::loop {

ThreadPoller* ThreadPoller::create(PollSet& set, Client& client) {
  ThreadPoller* poller = new (std::nothrow) ThreadPoller(set, client);
  if (poller != nullptr) set.add(*poller);
  return poller;
}

void ThreadPoller::watch(const Interest& interest) {
  const bool kept_alive = keeps_alive();
  uint32_t events = (interest.readable ? EPOLLIN : 0u) | (interest.writable ? EPOLLOUT : 0u) |
                    (interest.hangup ? EPOLLRDHUP : 0u);
  // Waiting for a deadline is a reason to stay alive, too.
  if (events == 0 && interest.deadline != kNoDeadline) events = EPOLLRDHUP;
  watch_fd(interest.fd, events);
  watch_deadline(interest.deadline);
  // A turn that was put off is not taken when nothing is waited for any more.
  if (events == 0) set_.turns_.remove(*this);
  set_.count_reference(keeps_alive() - kept_alive);
}

void ThreadPoller::watch_fd(int fd, uint32_t events) {
  if (fd != fd_) {
    if (armed_ != 0) set_.watch_fd(*this, fd_, armed_, 0);
    armed_ = 0;
    fd_ = fd;
  }
  // Level-triggered: what stays as it was costs no system call.
  if (fd < 0 || events == armed_) return;
  set_.watch_fd(*this, fd, armed_, events);
  armed_ = events;
}

void ThreadPoller::watch_deadline(uint64_t deadline) {
  const uint64_t before = std::exchange(deadline_, deadline);
  // A deadline of 0 is one more turn each time that it is asked for.
  if (before != deadline || deadline == 0) set_.watch_deadline(*this, before, deadline);
}

void ThreadPoller::ref() { set_referenced(true); }

void ThreadPoller::unref() { set_referenced(false); }

void ThreadPoller::set_referenced(bool referenced) {
  const bool kept_alive = keeps_alive();
  referenced_ = referenced;
  set_.count_reference(keeps_alive() - kept_alive);
}

void ThreadPoller::close(std::function<void()> closed) {
  watch({});
  set_.remove(*this);
  delete this;
  if (closed) closed();
}

}  // namespace busbar::loop
