// Calls back when the event loop has gone round once more: behind an immediate, which runtimes run after
// timers and I/O have had their turn, or behind what a runtime has in its place.
#pragma once

#include <node_api.h>

#include "napi/callback.h"

namespace busbar {

class LoopRound {
 public:
  class Client {
   public:
    virtual void on_round() = 0;

   protected:
    ~Client() = default;
  };

  explicit LoopRound(Client& client) : client_(client) {}
  LoopRound(const LoopRound&) = delete;
  LoopRound& operator=(const LoopRound&) = delete;

  // What to call for it: `setImmediate`, as it was before a test suite could replace it. The global one is
  // taken where none was given.
  void use(napi_env env, napi_value set_immediate);
  // Once for an environment, which it must not outlive. Does nothing the second time.
  [[nodiscard]] bool open(napi_env env);
  // Has `on_round` called. False where no JavaScript can run any more. `keep_alive` says whether waiting for
  // it keeps the event loop alive.
  [[nodiscard]] bool request(bool keep_alive);

 private:
  static napi_value on_immediate(napi_env env, napi_callback_info info);

  Client& client_;
  napi_env env_ = nullptr;
  Reference set_immediate_;
  Reference callback_;
};

}  // namespace busbar
