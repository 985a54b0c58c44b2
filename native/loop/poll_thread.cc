// Runs the thread, which waits for the epoll descriptor and for the order to end.
#include "loop/poll_thread.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include <cerrno>
#include <utility>

namespace busbar::loop {

bool PollThread::start(int epoll, Waker& waker) {
  epoll_ = epoll;
  waker_ = &waker;
  running_ = add_sources() && spawn();
  if (!running_) {
    alarm_.reset();
    end_.reset();
  }
  return running_;
}

bool PollThread::add_sources() {
  alarm_.reset(epoll_create1(EPOLL_CLOEXEC));
  end_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!alarm_ || !end_) return false;
  epoll_event order{.events = EPOLLIN, .data = {.fd = end_.get()}};
  epoll_event ready{.events = EPOLLIN | EPOLLONESHOT, .data = {.fd = epoll_}};
  return epoll_ctl(alarm_.get(), EPOLL_CTL_ADD, end_.get(), &order) == 0 &&
         epoll_ctl(alarm_.get(), EPOLL_CTL_ADD, epoll_, &ready) == 0;
}

bool PollThread::spawn() {
  // Signals are for the threads of the runtime, whose handlers expect to run there.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(&thread_, nullptr, run, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return error == 0;
}

void PollThread::rearm() {
  epoll_event ready{.events = EPOLLIN | EPOLLONESHOT, .data = {.fd = epoll_}};
  epoll_ctl(alarm_.get(), EPOLL_CTL_MOD, epoll_, &ready);
}

void PollThread::stop() {
  if (!std::exchange(running_, false)) return;
  // Its counter was 0, so the kernel takes it.
  eventfd_write(end_.get(), 1);
  pthread_join(thread_, nullptr);
  alarm_.reset();
  end_.reset();
}

void* PollThread::run(void* self) {
  // The name that tools show.
  prctl(PR_SET_NAME, "busbar-poll");
  static_cast<PollThread*>(self)->wait();
  return nullptr;
}

void PollThread::wait() {
  for (;;) {
    epoll_event events[2];
    const int count = epoll_wait(alarm_.get(), events, 2, -1);
    // EINTR: a debugger interrupts, for instance. No other error is possible with descriptors of our own.
    if (count < 0 && errno != EINTR) return;
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == end_.get()) return;
    }
    if (count > 0) waker_->wake();
  }
}

}  // namespace busbar::loop
