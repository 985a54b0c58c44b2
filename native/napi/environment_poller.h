// A poller of either kind that ends with its environment, if its owner does not close it before: the
// environment waits until libuv, or the thread, has let go of it.
#pragma once

#include <node_api.h>

#include <optional>
#include <string_view>

#include "loop/poller.h"

namespace busbar {

// `PollerKind` in src/native/binding.ts.
enum class PollerKind { kUv, kThread };

std::optional<PollerKind> poller_kind(std::string_view name);

class EnvironmentPoller {
 public:
  class Client : public loop::Poller::Client {
   public:
    // The environment ends: no further JavaScript runs. The client must close the poller.
    virtual void on_environment_end() = 0;

   protected:
    ~Client() = default;
  };

  EnvironmentPoller() = default;
  // Node.js never destroys a client that polls, but Deno finalizes objects before it runs cleanup hooks.
  ~EnvironmentPoller() {
    if (is_open()) close();
  }
  EnvironmentPoller(const EnvironmentPoller&) = delete;
  EnvironmentPoller& operator=(const EnvironmentPoller&) = delete;

  // False if there is no memory, or no thread can be started.
  [[nodiscard]] bool open(napi_env env, PollerKind kind, Client& client);
  bool is_open() const { return poller_ != nullptr; }
  loop::Poller* operator->() const { return poller_; }
  // Stops at once: the client may close what it watched.
  void close();

 private:
  // The hook for the environment's end refers to this object, which outlives the client.
  struct Teardown;

  static loop::Poller* create(napi_env env, PollerKind kind, Client& client);
  [[nodiscard]] static bool add_hook(Teardown& teardown);
  static void remove_hook(Teardown& teardown);
  static void on_async_teardown(napi_async_cleanup_hook_handle hook, void* teardown);
  static void on_teardown(void* teardown);

  // Deletes itself, after `close`.
  loop::Poller* poller_ = nullptr;
  Teardown* teardown_ = nullptr;
};

}  // namespace busbar
