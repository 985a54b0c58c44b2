// What all thread pollers of one environment wait for: their descriptors in one epoll instance, their
// deadlines in one timer. It belongs to the thread of the environment, and so does everything that it calls;
// only its epoll descriptor may be watched from elsewhere.
//
// Each poller has one turn in a `dispatch` at most, however many reasons there are: between two of its turns
// the runtime runs what awaits, and connections rely on that.
#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "loop/turns.h"

namespace busbar::loop {

class ThreadPoller;

class PollSet {
 public:
  class Owner {
   public:
    // Some poller has a turn to come: dispatch, but not from within this call.
    virtual void dispatch_soon() = 0;
    // Whether what is waited for is a reason to keep the event loop alive. It is not at first.
    virtual void keep_alive(bool wanted) = 0;
    // The last poller is closed. The set may be closed within the call, and even within a `dispatch`.
    virtual void on_empty() = 0;

   protected:
    ~Owner() = default;
  };

  explicit PollSet(Owner& owner) : owner_(owner) {}
  PollSet(const PollSet&) = delete;
  PollSet& operator=(const PollSet&) = delete;

  [[nodiscard]] bool open();
  void close();
  // The epoll descriptor, readable when there is something to dispatch; -1 when closed.
  int fd() const { return epoll_.get(); }
  // Gives turns to pollers whose descriptor is ready or whose deadline has passed: to one at least, and until
  // `ends`, a time of `monotonic_now`. Requests another dispatch if some had none.
  void dispatch(uint64_t ends);

 private:
  friend class ThreadPoller;

  // What follows is for ThreadPoller.
  void add(ThreadPoller&) { pollers_++; }
  void remove(ThreadPoller& poller);
  // Waits for `events` of epoll on the descriptor, in place of `before`; 0 for none.
  void watch_fd(ThreadPoller& poller, int fd, uint32_t before, uint32_t events);
  void watch_deadline(ThreadPoller& poller, uint64_t before, uint64_t deadline);
  void count_reference(int difference);

  void collect_ready();
  void collect_due();
  // Sets the timer to the earliest deadline.
  void set_timer();

  Owner& owner_;
  UniqueFd epoll_;
  UniqueFd timer_;
  std::set<std::pair<uint64_t, ThreadPoller*>> deadlines_;
  // The time for which the timer is set; kNoDeadline if it is not set.
  uint64_t timer_deadline_ = kNoDeadline;
  Turns turns_;
  bool dispatching_ = false;
  size_t pollers_ = 0;
  // Pollers that keep the event loop alive.
  int references_ = 0;
};

}  // namespace busbar::loop
