// The poller for Node.js and Electron: a uv_poll handle for the descriptor, and a uv_timer for the deadline.
// A deadline that is less than a few milliseconds away has a timer of the kernel's, because libuv counts in
// whole milliseconds. It is there only for as long as such deadlines follow one another.
#pragma once

#include "base/unique_fd.h"
#include "loop/poller.h"
#include "loop/uv_abi.h"
#include "loop/uv_turns.h"

namespace busbar::loop {

class UvPoller final : public Poller, private Turns::Taker {
 public:
  // Null when there is no memory, or no libuv in this runtime. `turns` must outlive the poller's `close`.
  static UvPoller* create(UvTurns& turns, Client& client);

  void watch(const Interest& interest) override;
  void ref() override;
  void unref() override;
  void close(std::function<void()> closed) override;
  bool has_outermost_scopes() const override { return true; }

 private:
  UvPoller(UvTurns& turns, Client& client) : turns_(turns), loop_(turns.loop()), client_(&client) {}
  ~UvPoller() = default;

  uv_handle_s* allocate(int type);
  void on_turn() override;
  // There is a reason for a turn.
  void offer_turn();
  void watch_fd(int fd, int events);
  void watch_deadline(uint64_t deadline);
  // The timer keeps the loop alive until the next `watch`, where the poll handle does not.
  void hold_by_timer(uint64_t milliseconds);
  void update_timer_reference();
  // False where there can be no such timer.
  bool set_alarm(uint64_t deadline);
  bool open_alarm();
  void close_alarm();
  // Begins to close a handle, which is freed in its close callback.
  void release(uv_handle_s*& handle);
  static void on_released(uv_handle_s* handle);
  static void on_ready(uv_handle_s* handle, int status, int events);
  static void on_timer(uv_handle_s* handle);
  static void on_alarm(uv_handle_s* handle, int status, int events);

  UvTurns& turns_;
  uv_loop_s* loop_;
  // Null once closed.
  Client* client_;
  uv_handle_s* poll_ = nullptr;
  uv_handle_s* timer_ = nullptr;
  uv_handle_s* alarm_ = nullptr;
  UniqueFd alarm_fd_;
  int fd_ = -1;
  // The events that the poll handle is started for; 0 when it is stopped.
  int armed_ = 0;
  // Handles that libuv knows, closing ones included.
  int handles_ = 0;
  bool referenced_ = true;
  // Whether the timer takes the place of the poll handle.
  bool timer_holds_ = false;
  std::function<void()> closed_;
};

}  // namespace busbar::loop
