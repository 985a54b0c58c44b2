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

#include "inbox/inbox.h"
#include "napi/async_scope.h"
#include "napi/callback.h"
#include "napi/connection_options.h"
#include "napi/environment_poller.h"
#include "transport/transport.h"

namespace busbar {

class ConnectionObject final : public Napi::ObjectWrap<ConnectionObject>, private EnvironmentPoller::Client {
 public:
  static Napi::Function define(Napi::Env env);

  explicit ConnectionObject(const Napi::CallbackInfo& info);

 private:
  enum class State { kNew, kRunning, kStopped };

  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  void flush(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  void unref(const Napi::CallbackInfo& info);
  void pause(const Napi::CallbackInfo& info);
  void resume(const Napi::CallbackInfo& info);
  Napi::Value peer_credentials(const Napi::CallbackInfo& info);
  Napi::Value is_silent(const Napi::CallbackInfo& info);
  Napi::Value has_left(const Napi::CallbackInfo& info);
  Napi::Value has_unread(const Napi::CallbackInfo& info);

  // What the options ask for. Null, with an error pending, where that needs sd-bus and there is none.
  std::unique_ptr<transport::Transport> make_transport(Napi::Env env);
  bool begin_polling();
  void on_poll() override;
  void on_environment_end() override;
  // Writes what waits, and tells when that has come to an end.
  void write_paused();
  // Fills the inbox with the next batch.
  void take_batch();
  // Tells of the opening, and gets the memory of the inbox for it.
  void report_open();
  // Ends a connection that nobody has yet and the other side has left, if nothing is left to be read.
  void look_for_end();
  // Calls onBatch until it has taken all rows, or until the turn has to end: for what awaits, or because it
  // has taken its time. What is left comes in the next turn, before anything else is read.
  void deliver();
  bool is_delivered() const { return !inbox_ || row_ == inbox_->count(); }
  // What comes behind the messages of a batch.
  void end_batch();
  // One call of onBatch; returns the row to go on with.
  int32_t deliver_from(int32_t row);
  napi_value take_large_body();
  void report_refusals();
  // Tells the poller what the transport waits for.
  void wait();
  // Lets go of the poller and the socket.
  void disconnect();
  // As above, and of itself.
  void stop();
  // Closes what nobody will take of a batch, where the connection ended half-way.
  void discard_rest();
  // Lets go of what belongs to JavaScript, when no frame of ours uses it any more.
  void release();
  void report_close(const transport::Loss& loss);

  ConnectionOptions options_;
  // From the opening on: a client that does not authenticate costs no memory for messages.
  std::optional<inbox::Inbox> inbox_;
  // What the last large body was handed over in.
  Napi::Reference<Napi::Value> large_memory_;
  // When the turn under way has taken its time, in microseconds of the monotonic clock.
  uint64_t turn_ends_ = 0;
  // The first row of the batch that is not delivered yet, and how the batch ended.
  int32_t row_ = 0;
  transport::Progress progress_;
  std::unique_ptr<transport::Transport> transport_;
  EnvironmentPoller poller_;
  std::optional<AsyncContext> async_context_;
  std::vector<transport::Refusal> refusals_;
  State state_ = State::kNew;
  bool referenced_ = true;
  // Nothing is read, and no row is handed over: nobody is there yet to hear it, or too many answers wait. It
  // is told when at most so many bytes wait; never, where that is negative.
  bool paused_ = false;
  int64_t paused_until_ = -1;
  // The other side has left while nobody had the connection, and what it said before waits.
  bool has_left_ = false;
  // Within `on_poll`: the transport will be asked again before it returns.
  bool polling_ = false;
};

}  // namespace busbar
