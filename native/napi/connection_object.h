// `Connection` of the seam: joins a transport, a poller and the callbacks of TypeScript.
//
// It lives as any JavaScript object does, but holds on to itself between `start` and the end of the
// connection, while the event loop refers to it. It ends in one function, `stop`: by `close`, by a loss, or
// with the environment.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <vector>

#include "loop/poller.h"
#include "napi/async_scope.h"
#include "napi/callback.h"
#include "napi/connection_options.h"
#include "transport/inbox.h"
#include "transport/transport.h"

namespace busbar {

class ConnectionObject final : public Napi::ObjectWrap<ConnectionObject>, private loop::Poller::Client {
 public:
  static Napi::Function define(Napi::Env env);

  explicit ConnectionObject(const Napi::CallbackInfo& info);

 private:
  enum class State { kNew, kRunning, kStopped };
  // What the environment's end refers to: it outlives the object, until libuv has let go of the poller's
  // handles.
  struct Teardown;

  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  void flush(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  void unref(const Napi::CallbackInfo& info);

  bool begin_polling();
  void on_poll() override;
  void report_open();
  // Calls onBatch until it has taken all rows.
  void deliver();
  // One call of onBatch; returns the row to go on with.
  int32_t deliver_from(int32_t row);
  napi_value take_large_body();
  void report_refusals();
  // Tells the poller what the transport waits for.
  void wait();
  // Lets go of the poller, the socket and itself.
  void stop();
  // Lets go of what belongs to JavaScript, when no frame of ours uses it any more.
  void release();
  void report_close(const transport::Loss& loss);
  static void on_teardown(napi_async_cleanup_hook_handle hook, void* teardown);

  ConnectionOptions options_;
  std::optional<transport::Inbox> inbox_;
  std::unique_ptr<transport::Transport> transport_;
  // Deletes itself, after `close`.
  loop::Poller* poller_ = nullptr;
  Teardown* teardown_ = nullptr;
  std::optional<AsyncContext> async_context_;
  std::vector<transport::Refusal> refusals_;
  State state_ = State::kNew;
  bool referenced_ = true;
  // Within `on_poll`: the transport will be asked again before it returns.
  bool polling_ = false;
};

}  // namespace busbar
