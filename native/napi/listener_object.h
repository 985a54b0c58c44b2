// `Listener` of the seam: a listening socket, a poller, and the callback that gets the descriptors of peers.
//
// It holds on to itself between `start` and `close`, while the event loop refers to it, as Connection does,
// and has the same states.
#pragma once

#include <napi.h>

#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "napi/async_scope.h"
#include "napi/callback.h"
#include "napi/environment_poller.h"
#include "napi/turn_state.h"
#include "transport/listener.h"
#include "transport/socket_file.h"

namespace busbar {

class ListenerObject final : public Napi::ObjectWrap<ListenerObject>, private EnvironmentPoller::Client {
 public:
  static Napi::Function define(Napi::Env env);

  explicit ListenerObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value port(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  void unref(const Napi::CallbackInfo& info);
  void pause(const Napi::CallbackInfo& info);
  void resume(const Napi::CallbackInfo& info);
  Napi::Value has_waiting(const Napi::CallbackInfo& info);

  int open();
  void on_poll() override;
  void on_environment_end() override;
  // Tells the poller to wait for clients, or for the end of a rest.
  void wait();
  // Tells the poller what has changed, unless a turn is under way.
  void wait_again() {
    if (state_.is_waiting()) wait();
  }
  // Accepts one client, and calls onAccept. False if there is none, or none can be accepted for now.
  bool accept_one();
  // Closes the poller and the socket.
  void disconnect();
  // Releases what belongs to JavaScript.
  void release();

  TurnState state_;
  // The name of a unix socket, else empty.
  std::string name_;
  // The numeric address of a TCP socket.
  std::string ip_;
  uint16_t port_ = 0;
  // A socket that listens already, until `start`.
  UniqueFd adopted_;
  busbar::Reference on_accept_, on_error_;
  transport::Listener listener_;
  transport::SocketFile file_;
  PollerKind poller_kind_ = PollerKind::kUv;
  EnvironmentPoller poller_;
  std::optional<AsyncContext> async_context_;
  // The time until which no client is accepted, for want of descriptors; 0 otherwise.
  uint64_t resting_until_ = 0;
  // No client is accepted: clients wait in the queue of the kernel.
  bool paused_ = false;
};

}  // namespace busbar
