// Whether the microtasks of the last turn have run.
//
// Connections rely on it that what awaited a reply has run before they deliver what came behind it. Not every
// runtime runs microtasks between two calls of a threadsafe function: Deno makes up to three rounds of them
// first. Queues are emptied in order and as a whole, so the turn is settled when a microtask of our own has
// run.
#pragma once

#include <node_api.h>

#include "napi/callback.h"

namespace busbar {

class MicrotaskWatch {
 public:
  MicrotaskWatch() = default;
  MicrotaskWatch(const MicrotaskWatch&) = delete;
  MicrotaskWatch& operator=(const MicrotaskWatch&) = delete;

  // Once for an environment, which it must not outlive. Does nothing the second time.
  [[nodiscard]] bool open(napi_env env);
  // A turn has ended, which may have left microtasks.
  void end_turn();
  bool is_settled() const { return settled_; }

 private:
  static napi_value on_settled(napi_env env, napi_callback_info info);

  napi_env env_ = nullptr;
  // A promise that is fulfilled, its `then`, and what is called by it. Not `queueMicrotask`, which test
  // suites replace when they take the clock into their own hands.
  Reference promise_;
  Reference then_;
  Reference settle_;
  bool settled_ = true;
};

}  // namespace busbar
