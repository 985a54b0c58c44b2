// The thread pollers of one environment: one thread and one threadsafe function for all of them, there from
// the first poller to the last.
//
// Each poller ends with the environment by its own cleanup hook. Hooks run in reverse order, so all of them
// run before that of the threadsafe function, which is older: the thread has ended when the function goes.
//
// Runtimes call a threadsafe function again and again for as long as calls of it come: Node.js a thousand
// times before its loop goes round. The thread rings for whatever is still ready, so there always is another
// call while messages come. Therefore, when turns and the microtasks that they left have taken a millisecond,
// the thread rests and nothing is dispatched until the loop has gone round.
#pragma once

#include <node_api.h>

#include <atomic>

#include "loop/poll_set.h"
#include "loop/poll_thread.h"
#include "loop/poller.h"
#include "napi/loop_round.h"
#include "napi/microtask_watch.h"

namespace busbar {

class EnvironmentThread final : private loop::PollThread::Waker,
                                private loop::PollSet::Owner,
                                private MicrotaskWatch::Client,
                                private LoopRound::Client {
 public:
  EnvironmentThread() : microtasks_(*this), round_(*this), set_(*this) {}
  ~EnvironmentThread() { stop(); }
  EnvironmentThread(const EnvironmentThread&) = delete;
  EnvironmentThread& operator=(const EnvironmentThread&) = delete;

  void use_immediate(napi_env env, napi_value set_immediate) { round_.use(env, set_immediate); }
  // A poller, which may be the first. Null where there are no descriptors, no memory, or no thread to be had.
  loop::Poller* create_poller(napi_env env, loop::Poller::Client& client);

 private:
  [[nodiscard]] bool start(napi_env env);
  void stop();
  [[nodiscard]] bool create_function();
  // Has `dispatch` called, once. From any thread.
  void request_dispatch();
  void dispatch();
  // The next dispatch may come: what was asked for meanwhile, or what the thread rings for.
  void end_dispatch();
  static void on_call(napi_env env, napi_value function, void* self, void* data);

  void wake() override;
  void dispatch_soon() override;
  void on_settled() override;
  void on_round() override;
  void keep_alive(bool wanted) override;
  void on_empty() override { stop(); }

  napi_env env_ = nullptr;
  napi_threadsafe_function function_ = nullptr;
  MicrotaskWatch microtasks_;
  LoopRound round_;
  loop::PollSet set_;
  loop::PollThread thread_;
  bool keeps_alive_ = false;
  // From the beginning of a dispatch until its microtasks have run and, where it is due, the loop has gone
  // round.
  bool busy_ = false;
  // A dispatch was asked for meanwhile.
  bool wanted_ = false;
  // When the last dispatch began, and how long dispatches have taken since the loop went round for one.
  uint64_t began_ = 0;
  uint64_t spent_ = 0;
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
