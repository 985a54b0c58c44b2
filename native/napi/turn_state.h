// The state of an object that gets turns from the event loop: of Connection and of Listener.
//
// JavaScript runs within a turn, and may do anything there: call the methods of the object, close it, or run
// the event loop from within the callback. One state tells each method what it may do:
//
//             start               on_poll
//     kNew ----------> kWaiting ----------> kTurn
//       |               |    ^                |  |
//       | start fails   |    +- the turn ends-+  |
//       |               |                        |
//       |               | close, the             | close, loss, the
//       |               | environment ends       | environment ends
//       v               v                        v
//     kStopped <--------+------------------- kStopping
//                            the turn ends
#pragma once

namespace busbar {

class TurnState {
 public:
  bool is_new() const { return state_ == State::kNew; }
  bool is_running() const { return state_ == State::kWaiting || state_ == State::kTurn; }
  // Where a turn may begin. It is also where a method that changes what is waited for has to tell the poller:
  // within a turn the end of the turn does so, once for all that happened in it.
  bool is_waiting() const { return state_ == State::kWaiting; }
  bool is_stopped() const { return state_ == State::kStopping || state_ == State::kStopped; }
  // Whether no frame uses what belongs to JavaScript any more, so that it can be released.
  bool is_over() const { return state_ == State::kStopped; }

  void start() { state_ = State::kWaiting; }
  void begin_turn() { state_ = State::kTurn; }
  void end_turn() { state_ = state_ == State::kTurn ? State::kWaiting : State::kStopped; }
  void stop() {
    state_ = state_ == State::kTurn || state_ == State::kStopping ? State::kStopping : State::kStopped;
  }

 private:
  enum class State {
    // `start` was not called.
    kNew,
    // The poller waits, and no frame of the object is on the stack but that of a method.
    kWaiting,
    // `on_poll` is on the stack. A second one, from an event loop that a callback runs, does nothing: what is
    // ready stays so.
    kTurn,
    // The object ended within its turn. The poller and the socket are closed; what the frames of the turn use
    // is kept until they have returned.
    kStopping,
    // Everything is closed.
    kStopped,
  };

  State state_ = State::kNew;
};

}  // namespace busbar
