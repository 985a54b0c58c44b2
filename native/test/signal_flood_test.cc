// When reading rests, by a clock of the test's own.
#include "transport/signal_flood.h"

#include "check.h"

using busbar::transport::SignalFlood;

namespace {

// So many that a flood begins, one at a time, `gap` microseconds apart.
uint64_t flood(SignalFlood& flood, uint64_t gap, uint64_t now = 1'000'000) {
  for (int i = 0; i < 256; i++) flood.read(1, true, now += gap);
  return now;
}

}  // namespace

TEST("a flood of signals is read once in a millisecond") {
  SignalFlood signals;
  const uint64_t now = flood(signals, 10);
  CHECK(signals.is_on() && signals.rests_until() == now + 1000);
  signals.read(30, true, now + 1500);
  CHECK(signals.rests_until() == now + 2500);
}

TEST("what comes in gulps anyway is read at once, and the flood goes on") {
  SignalFlood signals;
  const uint64_t now = flood(signals, 10);
  signals.read(32, true, now + 1000);
  CHECK(signals.is_on() && signals.rests_until() == 0);
  signals.read(20, true, now + 1100);
  CHECK(signals.rests_until() == now + 2100);
}

TEST("signals that come more slowly are read as they come") {
  SignalFlood signals;
  flood(signals, 200);
  CHECK(!signals.is_on() && signals.rests_until() == 0);
}

TEST("a burst of some hundred signals is read as it comes") {
  SignalFlood signals;
  signals.read(200, true, 1'000'000);
  CHECK(!signals.is_on());
}

TEST("a flood that ebbs is over with the first rest that brought little") {
  SignalFlood signals;
  const uint64_t now = flood(signals, 10);
  signals.read(9, true, now + 1000);
  CHECK(!signals.is_on() && signals.rests_until() == 0);
}

TEST("whatever is no signal ends the rest, and so does sending") {
  SignalFlood signals;
  uint64_t now = flood(signals, 10);
  signals.read(50, false, now + 1000);
  CHECK(!signals.is_on() && signals.rests_until() == 0);
  now = flood(signals, 10, now + 1000);
  signals.sent();
  CHECK(!signals.is_on() && signals.rests_until() == 0);
}

TEST("after an answer it takes a whole flood again before reading rests") {
  SignalFlood signals;
  const uint64_t now = flood(signals, 10);
  signals.sent();
  signals.read(100, true, now + 1000);
  signals.read(100, true, now + 1010);
  CHECK(!signals.is_on());
}
