// The uv pollers of one environment: they share the rounds of its loop, from the first poller to the end of
// the environment.
//
// Each poller ends with the environment by its own cleanup hook. Hooks run in reverse order, so all of them
// run before the one here, which is older.
#pragma once

#include <node_api.h>

#include "loop/poller.h"
#include "loop/uv_turns.h"

namespace busbar {

class EnvironmentLoop {
 public:
  EnvironmentLoop() = default;
  EnvironmentLoop(const EnvironmentLoop&) = delete;
  EnvironmentLoop& operator=(const EnvironmentLoop&) = delete;

  // A poller, which may be the first. Null when there is no memory, or no libuv in this runtime.
  loop::Poller* create_poller(napi_env env, loop::Poller::Client& client);

 private:
  [[nodiscard]] bool open(napi_env env);
  static void on_teardown(napi_async_cleanup_hook_handle hook, void* turns);

  // Deletes itself, after the environment's end.
  loop::UvTurns* turns_ = nullptr;
};

}  // namespace busbar
