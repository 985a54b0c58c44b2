// Ties a poller to a cleanup hook, through an object that outlives the poller's owner.
#include "napi/environment_poller.h"

#include <utility>

#include "napi/addon.h"

namespace busbar {

struct EnvironmentPoller::Teardown {
  napi_env env;
  PollerKind kind;
  // Null once the poller is closed.
  Client* client;
  // The hook of a libuv poller, whose end takes time.
  napi_async_cleanup_hook_handle hook;
};

std::optional<PollerKind> poller_kind(std::string_view name) {
  if (name == "uv") return PollerKind::kUv;
  if (name == "thread") return PollerKind::kThread;
  return std::nullopt;
}

loop::Poller* EnvironmentPoller::create(napi_env env, PollerKind kind, Client& client) {
  Addon& addon = *Napi::Env(env).GetInstanceData<Addon>();
  if (kind == PollerKind::kThread) return addon.poll_thread().create_poller(env, client);
  return addon.loop().create_poller(env, client);
}

bool EnvironmentPoller::open(napi_env env, PollerKind kind, Client& client) {
  // Before the hook: the hook of what the poller is made of has to run after this one.
  poller_ = create(env, kind, client);
  if (poller_ == nullptr) return false;
  Teardown* teardown = new Teardown{env, kind, &client, nullptr};
  if (!add_hook(*teardown)) {
    delete teardown;
    std::exchange(poller_, nullptr)->close({});
    return false;
  }
  teardown_ = teardown;
  return true;
}

// A thread poller is gone at once. It gets a plain hook: Deno frees an asynchronous one before it calls it.
bool EnvironmentPoller::add_hook(Teardown& teardown) {
  if (teardown.kind == PollerKind::kThread) {
    return napi_add_env_cleanup_hook(teardown.env, on_teardown, &teardown) == napi_ok;
  }
  return napi_add_async_cleanup_hook(teardown.env, on_async_teardown, &teardown, &teardown.hook) == napi_ok;
}

void EnvironmentPoller::remove_hook(Teardown& teardown) {
  if (teardown.kind == PollerKind::kThread) {
    napi_remove_env_cleanup_hook(teardown.env, on_teardown, &teardown);
  } else {
    napi_remove_async_cleanup_hook(teardown.hook);
  }
}

void EnvironmentPoller::close() {
  Teardown* teardown = std::exchange(teardown_, nullptr);
  teardown->client = nullptr;
  std::exchange(poller_, nullptr)->close([teardown] {
    remove_hook(*teardown);
    delete teardown;
  });
}

void EnvironmentPoller::on_async_teardown(napi_async_cleanup_hook_handle, void* teardown) {
  on_teardown(teardown);
}

void EnvironmentPoller::on_teardown(void* data) {
  Client* client = static_cast<Teardown*>(data)->client;
  // Already closing: the hook goes as soon as the handles do.
  if (client != nullptr) client->on_environment_end();
}

}  // namespace busbar
