// A thread that waits for one epoll descriptor, and calls its waker each time that it becomes ready.
//
// It is an alarm and no more: it never looks at what is ready, so that everything about descriptors and
// deadlines belongs to the thread of the environment alone, and no lock is needed. After an alarm it rests
// until `rearm`; a descriptor that stays ready would ring without end otherwise.
#pragma once

#include <pthread.h>

#include "base/unique_fd.h"

namespace busbar::loop {

class PollThread {
 public:
  class Waker {
   public:
    // On the poll thread: what is waited for is ready.
    virtual void wake() = 0;

   protected:
    ~Waker() = default;
  };

  PollThread() = default;
  ~PollThread() { stop(); }
  PollThread(const PollThread&) = delete;
  PollThread& operator=(const PollThread&) = delete;

  // Begins to wait for `epoll`. Both it and the waker must outlive the thread. False where there is no thread
  // to be had.
  [[nodiscard]] bool start(int epoll, Waker& waker);
  // Rings again, at once if it is still ready.
  void rearm();
  // Ends the thread and waits until it has. `wake` is not called any more then.
  void stop();

 private:
  [[nodiscard]] bool add_sources();
  [[nodiscard]] bool spawn();
  static void* run(void* self);
  void wait();

  // Nested, so that resting is one bit: it watches the descriptor above (one-shot) and the order to end.
  UniqueFd alarm_;
  UniqueFd end_;
  int epoll_ = -1;
  Waker* waker_ = nullptr;
  pthread_t thread_{};
  bool running_ = false;
};

}  // namespace busbar::loop
