// `Connection` of the seam: joins a transport, a poller and the callbacks of TypeScript.
//
// It lives as any JavaScript object does, but holds on to itself between `start` and the end of the
// connection, while the event loop refers to it. It ends by `close`, by a loss, or with the environment.
//
// `TurnState` says where the connection is, `Mode` what it waits for and what its next turn does. A turn
// never reads while rows of the last batch are left, so at most one batch is under way: `next_row_` is where
// JavaScript goes on with it, and `progress_` is what comes behind its last row. docs/architecture.md has the
// whole table ("A connection's states").
#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <vector>

#include "inbox/inbox.h"
#include "napi/async_scope.h"
#include "napi/batch_memory.h"
#include "napi/callback.h"
#include "napi/connection_options.h"
#include "napi/environment_poller.h"
#include "napi/turn_state.h"
#include "transport/transport.h"

namespace busbar {

class ConnectionObject final : public Napi::ObjectWrap<ConnectionObject>, private EnvironmentPoller::Client {
 public:
  static Napi::Function define(Napi::Env env);

  explicit ConnectionObject(const Napi::CallbackInfo& info);

  // Sends whole messages, and returns how many bytes the kernel has not taken yet.
  uint64_t send_bytes(std::span<const uint8_t> bytes, std::span<const int32_t> fds);

 private:
  // The events that the connection waits for, and the work of its next turn.
  enum class Mode {
    // Nothing is read, and no row is handed over: the turn writes, and looks whether the other side hung up.
    kPaused,
    // Rows of the last batch are left: the turn hands them over, in the next round of the loop.
    kDelivering,
    // The turn connects, or reads a batch and hands it over, when the transport has something to do.
    kReading,
  };
  Mode mode() const;

  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value own_number(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value flush(const Napi::CallbackInfo& info);
  Napi::Value end_sending(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  void unref(const Napi::CallbackInfo& info);
  void pause(const Napi::CallbackInfo& info);
  void resume(const Napi::CallbackInfo& info);
  Napi::Value peer_credentials(const Napi::CallbackInfo& info);
  Napi::Value is_silent(const Napi::CallbackInfo& info);
  Napi::Value has_left(const Napi::CallbackInfo& info);
  Napi::Value has_unread(const Napi::CallbackInfo& info);

  // The transport of the options. Null, with an error pending, if it needs sd-bus and there is none.
  std::unique_ptr<transport::Transport> make_transport(Napi::Env env);
  bool begin_polling();
  void on_poll() override;
  void on_environment_end() override;
  void take_turn();
  // A turn in which JavaScript only writes down whether the connection keeps the event loop alive.
  void take_noted_turn();
  void heed(int32_t noted);
  void set_referenced(bool referenced);
  // Writes what waits. Calls onDrain when at most the limit waits, and when the other side has hung up.
  void write_paused();
  // Connects as far as is possible, or fills the inbox with the next batch.
  void take_batch();
  void report_open();
  // Leases memory for a batch. False where there is none, or where the connection was closed meanwhile.
  bool lease_memory();
  // The batch was handed over.
  void return_memory();
  // Ends a connection that has no owner yet and that the other side has left, if nothing is left to be read.
  void look_for_end();
  // Calls onBatch until it has taken all rows, or until the turn has to end: because microtasks must run, or
  // because the turn has taken its time. The next turn takes the rows that are left.
  void deliver();
  bool is_delivered() const { return !inbox_ || next_row_ == inbox_->count(); }
  // Calls onDrain and onClose where they are due behind the last row.
  void end_batch();
  // One call of onBatch; returns the row to go on with.
  int32_t deliver_from(int32_t row);
  napi_value take_large_body();
  void report_refusals();
  // -1 where there is none, or none any more.
  int socket();
  // Tells the poller what to wait for. Not within a turn: its end does so.
  void wait();
  // Tells the poller what has changed, unless a turn is under way.
  void wait_again() {
    if (state_.is_waiting()) wait();
  }
  // Closes the poller and the socket.
  void disconnect();
  // As above, and lets JavaScript collect this object.
  void stop();
  // Closes the descriptors of the rows that were not handed over.
  void discard_rest();
  // Releases what belongs to JavaScript.
  void release();
  void report_close(const transport::Loss& loss);

  ConnectionOptions options_;
  TurnState state_;
  // The batch under way, from the opening on, and its memory.
  std::optional<inbox::Inbox> inbox_;
  BatchMemories::Lease memory_;
  int32_t next_row_ = 0;
  transport::Progress progress_;
  // The end of the present turn's time, in microseconds of the monotonic clock.
  uint64_t turn_ends_ = 0;
  std::unique_ptr<transport::Transport> transport_;
  EnvironmentPoller poller_;
  std::optional<AsyncContext> async_context_;
  std::vector<transport::Refusal> refusals_;
  bool referenced_ = true;
  // Among those that have started; 0 before and after.
  uint32_t number_ = 0;
  // `pause` was called, because the connection has no owner yet, or because too many answers wait. onDrain is
  // called when at most `paused_until_` bytes wait; never, where that is negative.
  bool paused_ = false;
  int64_t paused_until_ = -1;
  // The other side has left a connection without an owner, and what it sent before is still to be read.
  bool has_left_ = false;
};

}  // namespace busbar
