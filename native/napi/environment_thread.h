// The thread pollers of one environment: one thread and one threadsafe function for all of them, there from
// the first poller to the last.
//
// Each poller ends with the environment by its own cleanup hook. Hooks run in reverse order, so all of them
// run before that of the threadsafe function, which is older: the thread has ended when the function goes.
#pragma once

#include <node_api.h>

#include <atomic>

#include "loop/poll_set.h"
#include "loop/poll_thread.h"
#include "loop/poller.h"
#include "napi/microtask_watch.h"

namespace busbar {

class EnvironmentThread final : private loop::PollThread::Waker, private loop::PollSet::Owner {
 public:
  EnvironmentThread() : set_(*this) {}
  ~EnvironmentThread() { stop(); }
  EnvironmentThread(const EnvironmentThread&) = delete;
  EnvironmentThread& operator=(const EnvironmentThread&) = delete;

  // A poller, which may be the first. Null where there are no descriptors, no memory, or no thread to be had.
  loop::Poller* create_poller(napi_env env, loop::Poller::Client& client);

 private:
  [[nodiscard]] bool start(napi_env env);
  void stop();
  [[nodiscard]] bool create_function();
  // Has `dispatch` called, once. From any thread.
  void request_dispatch();
  void dispatch();
  static void on_call(napi_env env, napi_value function, void* self, void* data);

  void wake() override;
  void dispatch_soon() override { request_dispatch(); }
  void keep_alive(bool wanted) override;
  void on_empty() override { stop(); }

  napi_env env_ = nullptr;
  napi_threadsafe_function function_ = nullptr;
  MicrotaskWatch microtasks_;
  loop::PollSet set_;
  loop::PollThread thread_;
  // A whole word each: RISC-V exchanges no less, and would call libatomic for it.
  using Flag = std::atomic<int>;
  // A call of the threadsafe function is under way.
  Flag requested_ = false;
  // The thread has rung, and waits until it is rearmed.
  Flag resting_ = false;
  // The environment has closed the threadsafe function, which must not be touched any more.
  Flag closed_ = false;
};

}  // namespace busbar
