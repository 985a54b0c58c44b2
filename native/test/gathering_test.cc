// When reading rests, by a clock of the test's own.
#include "transport/gathering.h"

#include "check.h"

using busbar::transport::Gathering;
using Kind = Gathering::Kind;

namespace {

// A connection that is read by a clock of its own.
struct Fixture {
  Gathering gathering;
  uint64_t now = 1'000'000;
  Kind kind = Kind::kSignals;
  uint32_t waiting = 0;

  // A read `gap` microseconds after the last one. Returns how long to rest.
  uint64_t read(uint64_t gap, int32_t messages = 1) {
    gathering.read(messages, kind, waiting, now += gap);
    return rest();
  }
  // So many that reading rests, one at a time.
  uint64_t flood(uint64_t gap) {
    gathering.read(1, kind, waiting, now);
    uint64_t last = 0;
    for (int i = 0; i < 64; i++) last = read(gap);
    return last;
  }
  uint64_t rest() const { return gathering.rests_until() == 0 ? 0 : gathering.rests_until() - now; }
};

Fixture replies(uint32_t waiting) {
  Fixture fixture;
  fixture.kind = Kind::kReplies;
  fixture.waiting = waiting;
  return fixture;
}

}  // namespace

TEST("in a flood of signals reading rests until some dozens have gathered") {
  Fixture signals;
  CHECK(signals.flood(10) == 400);
  CHECK(signals.read(450, 45) == 400 && signals.read(450, 300) == 400);
}

TEST("no rest is longer than a millisecond") {
  Fixture signals;
  CHECK(signals.flood(90) == 1000);
}

TEST("signals that come more slowly are read as they come, and so is a burst") {
  Fixture signals;
  CHECK(signals.flood(101) == 0);
  Fixture burst;
  burst.read(1);
  CHECK(burst.read(10, 60) == 0);
}

TEST("a rest that brings little is the last one, until messages were timed again without one") {
  Fixture signals;
  signals.flood(10);
  CHECK(signals.read(400, 19) == 0);
  CHECK(signals.read(10, 63) == 0 && signals.read(630, 63) == 203);
}

TEST("how long rests are does not depend on rests: who waits for us to read is not held up more and more") {
  Fixture signals;
  signals.flood(10);
  for (int i = 0; i < 100; i++) CHECK(signals.read(1000, 20) == 400);
}

TEST("in a flood of signals, sending anything ends the rest and the flood") {
  Fixture signals;
  signals.flood(10);
  signals.gathering.sent();
  CHECK(signals.rest() == 0 && signals.read(400, 40) == 0);
}

TEST("replies gather while many calls wait, at most half of those") {
  CHECK(replies(1000).flood(10) == 400);
  CHECK(replies(50).flood(10) == 250);
  CHECK(replies(20).flood(10) == 100);
}

TEST("where few calls wait, replies are read as they come") {
  CHECK(replies(19).flood(10) == 0 && replies(0).flood(10) == 0);
  Fixture calls = replies(100);
  calls.flood(10);
  calls.waiting = 0;
  CHECK(calls.read(400, 40) == 0);
}

TEST("the next calls go on being answered in rests, but a call out of turn ends the rest") {
  Fixture calls = replies(100);
  CHECK(calls.flood(10) == 400);
  calls.gathering.sent();
  CHECK(calls.rest() == 400);
  calls.gathering.hurry();
  CHECK(calls.rest() == 0);
  CHECK(calls.read(400, 40) == 400);
}

TEST("calls to answer are read as they come, and end what was timed before") {
  Fixture service;
  service.flood(10);
  service.kind = Kind::kOther;
  CHECK(service.read(400, 40) == 0 && service.flood(10) == 0);
  service.kind = Kind::kSignals;
  CHECK(service.read(10, 63) == 0);
}
