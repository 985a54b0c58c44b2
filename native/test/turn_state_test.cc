// The states of an object with turns, one transition after another.
#include "napi/turn_state.h"

#include "check.h"

using busbar::TurnState;

namespace {

TurnState waiting() {
  TurnState state;
  state.start();
  return state;
}

TurnState in_turn() {
  TurnState state = waiting();
  state.begin_turn();
  return state;
}

}  // namespace

TEST("it waits from its start on, and again after each turn") {
  TurnState state;
  CHECK(state.is_new() && !state.is_running() && !state.is_waiting() && !state.is_stopped());
  state.start();
  for (int i = 0; i < 2; i++) {
    CHECK(!state.is_new() && state.is_running() && state.is_waiting());
    state.begin_turn();
    CHECK(state.is_running() && !state.is_waiting() && !state.is_stopped());
    state.end_turn();
  }
  CHECK(state.is_waiting());
}

TEST("an object that stops between two turns has ended at once") {
  for (TurnState state : {TurnState(), waiting()}) {
    state.stop();
    CHECK(state.is_stopped() && state.is_over() && !state.is_running() && !state.is_new());
  }
}

TEST("an object that stops within a turn has ended when the turn ends, however often it stops") {
  TurnState state = in_turn();
  for (int i = 0; i < 2; i++) {
    state.stop();
    CHECK(state.is_stopped() && !state.is_over() && !state.is_running() && !state.is_waiting());
  }
  state.end_turn();
  CHECK(state.is_stopped() && state.is_over() && !state.is_waiting());
  state.stop();
  CHECK(state.is_over());
}
