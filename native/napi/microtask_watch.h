// Tells when the microtasks that a turn left have run.
//
// Connections rely on it: the code that awaited a reply runs before they deliver the next message. Not every
// runtime runs microtasks between two calls of a threadsafe function: Deno makes up to three rounds of them
// first. Queues are emptied in order and as a whole, so the turn is settled when a microtask of our own has
// run.
#pragma once

#include <node_api.h>

#include "napi/callback.h"

namespace busbar {

class MicrotaskWatch {
 public:
  class Client {
   public:
    virtual void on_settled() = 0;

   protected:
    ~Client() = default;
  };

  explicit MicrotaskWatch(Client& client) : client_(client) {}
  MicrotaskWatch(const MicrotaskWatch&) = delete;
  MicrotaskWatch& operator=(const MicrotaskWatch&) = delete;

  // Once for an environment, which it must not outlive. Does nothing the second time.
  [[nodiscard]] bool open(napi_env env);
  // A turn has ended, which may have left microtasks: `on_settled` follows, within the call where no
  // JavaScript can run any more.
  void end_turn();

 private:
  static napi_value call_client(napi_env env, napi_callback_info info);

  Client& client_;
  napi_env env_ = nullptr;
  // A promise that is fulfilled, its `then`, and what is called by it. Not `queueMicrotask`, which test
  // suites replace when they take the clock into their own hands.
  Reference promise_;
  Reference then_;
  Reference settle_;
};

}  // namespace busbar
