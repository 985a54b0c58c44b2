// The module: it has one Addon for each environment that loads it, which holds all state.
#pragma once

#include <napi.h>

#include <memory>
#include <unordered_set>

#include "napi/batch_memory.h"
#include "napi/environment_loop.h"
#include "napi/environment_thread.h"
#include "napi/fd_offer.h"
#include "napi/lent_outbox.h"
#include "sdbus/api.h"

namespace busbar {

class Addon final : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports);
  // Closes the descriptors that a worker left open when it was terminated.
  ~Addon();

  // The sd-bus library, looked for when first needed; null where there is none.
  const sdbus::Library* library();
  // The shared parts of all pollers of the kind `uv`, and of all pollers of the kind `thread`.
  EnvironmentLoop& loop() { return loop_; }
  EnvironmentThread& poll_thread() { return poll_thread_; }
  // The memory for received batches.
  BatchMemories& batch_memories() { return batch_memories_; }
  StartedConnections& connections() { return connections_; }
  // The descriptor that a listener hands over at this moment; null if there is none.
  FdOffer*& last_offer() { return last_offer_; }

 private:
  Napi::Value sdbus_library(const Napi::CallbackInfo& info);
  Napi::Value duplicate_fd(const Napi::CallbackInfo& info);
  Napi::Value close_fd(const Napi::CallbackInfo& info);
  void keep_fd(const Napi::CallbackInfo& info);
  void release_fd(const Napi::CallbackInfo& info);
  Napi::Value peer_credentials(const Napi::CallbackInfo& info);
  Napi::Value describe_socket(const Napi::CallbackInfo& info);
  Napi::Value socket_pair(const Napi::CallbackInfo& info);
  Napi::Value make_pipe(const Napi::CallbackInfo& info);
  Napi::Value notify(const Napi::CallbackInfo& info);
  void use_immediate(const Napi::CallbackInfo& info);
  void use_batch_memory(const Napi::CallbackInfo& info);
  Napi::Value make_outbox(const Napi::CallbackInfo& info);
  Napi::Value describe_rule(const Napi::CallbackInfo& info);

  bool looked_for_library_ = false;
  std::unique_ptr<sdbus::Library> library_;
  EnvironmentLoop loop_;
  EnvironmentThread poll_thread_;
  BatchMemories batch_memories_;
  StartedConnections connections_;
  // One for each copy of the library.
  std::vector<std::unique_ptr<LentOutbox>> outboxes_;
  FdOffer* last_offer_ = nullptr;
  // Received descriptors that end with the environment, if JavaScript does not close them before.
  std::unordered_set<int> kept_fds_;
};

}  // namespace busbar
