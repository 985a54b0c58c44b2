// `Listener` of the seam: a listening socket, a poller, and the callback that gets the descriptors of peers.
//
// It holds on to itself between `start` and `close`, while the event loop refers to it, as Connection does.
#pragma once

#include <napi.h>

#include <optional>
#include <string>

#include "napi/async_scope.h"
#include "napi/callback.h"
#include "napi/environment_poller.h"
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
  // Waits for who connects, or for the end of a rest.
  void watch();
  // Hands one peer over. False if there is none, or none can be taken for now.
  bool accept_one();
  // Lets go of the poller and the socket.
  void disconnect();
  // As above, and of itself.
  void stop();
  // Lets go of what belongs to JavaScript, when no frame of ours uses it any more.
  void release();

  // Of a unix socket, else empty.
  std::string name_;
  // The numeric address of a TCP socket.
  std::string ip_;
  uint16_t port_ = 0;
  busbar::Reference on_accept_, on_error_;
  transport::Listener listener_;
  transport::SocketFile file_;
  PollerKind poller_kind_ = PollerKind::kUv;
  EnvironmentPoller poller_;
  std::optional<AsyncContext> async_context_;
  // Until when nobody is accepted, for want of descriptors; 0 otherwise.
  uint64_t resting_until_ = 0;
  // Nobody is accepted: whoever connects waits in the queue of the kernel.
  bool paused_ = false;
  bool polling_ = false;
};

}  // namespace busbar
