// The turns of all uv pollers of one event loop.
//
// A poller whose descriptor is ready has its turn at once where this round of the loop has time left. What is
// put off, and what a poller asks for by a deadline that has passed, comes in a later round: an idle handle
// gives those turns, and keeps the loop from waiting. No timer of 0 does that: libuv before 1.48 runs a timer
// that is started in a timer's callback again in the same pass, without end.
#pragma once

#include <functional>

#include "loop/turns.h"
#include "loop/uv_abi.h"

namespace busbar::loop {

class UvTurns {
 public:
  // Null when there is no memory, or no libuv in this runtime.
  static UvTurns* create(uv_loop_s* loop);

  uv_loop_s* loop() const { return loop_; }
  // Rounds are counted for as long as there is a poller.
  void add_poller();
  void remove_poller();
  // A turn at once, or in the next round.
  void offer(Turns::Taker& taker);
  // A turn in the next round.
  void add(Turns::Taker& taker);
  void remove(Turns::Taker& taker) { turns_.remove(taker); }
  // To be called without pollers. Deletes itself when the loop has released it, and calls `closed` then.
  void close(std::function<void()> closed);

 private:
  explicit UvTurns(uv_loop_s* loop) : loop_(loop) {}
  ~UvTurns() = default;

  bool open();
  // The end of the round: it begins with the first turn.
  uint64_t round_ends();
  static void on_idle(uv_handle_s* handle);
  static void on_check(uv_handle_s* handle);
  static void on_closed(uv_handle_s* handle);

  uv_loop_s* loop_;
  uv_handle_s* idle_ = nullptr;
  // Runs at the end of each round.
  uv_handle_s* check_ = nullptr;
  Turns turns_;
  // 0 where no poller had a turn in this round.
  uint64_t round_ends_ = 0;
  int pollers_ = 0;
  std::function<void()> closed_;
};

}  // namespace busbar::loop
