// Creates the turns with the first poller, and closes them in a cleanup hook of the environment.
#include "napi/environment_loop.h"

#include "loop/uv_poller.h"

namespace busbar {

loop::Poller* EnvironmentLoop::create_poller(napi_env env, loop::Poller::Client& client) {
  if (turns_ == nullptr && !open(env)) return nullptr;
  return loop::UvPoller::create(*turns_, client);
}

bool EnvironmentLoop::open(napi_env env) {
  loop::UvLoop* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
  loop::UvTurns* turns = loop::UvTurns::create(loop);
  if (turns == nullptr) return false;
  if (napi_add_async_cleanup_hook(env, on_teardown, turns, nullptr) != napi_ok) {
    turns->close({});
    return false;
  }
  turns_ = turns;
  return true;
}

// The environment waits until the hook is removed. Its handle comes with the call.
void EnvironmentLoop::on_teardown(napi_async_cleanup_hook_handle hook, void* turns) {
  static_cast<loop::UvTurns*>(turns)->close([hook] { napi_remove_async_cleanup_hook(hook); });
}

}  // namespace busbar
