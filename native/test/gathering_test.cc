// When reading rests, by a clock of the test's own.
#include "transport/gathering.h"

#include <random>

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
  uint64_t read(uint64_t gap, uint32_t messages = 1) {
    gathering.read(messages, kind, waiting, now += gap);
    return rest();
  }
  // So many that reading rests, one at a time.
  uint64_t flood(uint64_t gap, int count = 64) {
    uint64_t last = 0;
    for (int i = 0; i < count; i++) last = read(gap);
    return last;
  }
  uint64_t rest() const { return gathering.rests_until() == 0 ? 0 : gathering.rests_until() - now; }
};

Fixture of(Kind kind, uint32_t waiting = 0) {
  Fixture fixture;
  fixture.kind = kind == Kind::kReplies ? Kind::kSignals : Kind::kReplies;
  fixture.read(1);
  // The first read of another kind begins the timing.
  fixture.kind = kind;
  fixture.waiting = waiting;
  fixture.read(1);
  return fixture;
}

Fixture signals() { return of(Kind::kSignals); }
Fixture replies(uint32_t waiting) { return of(Kind::kReplies, waiting); }
Fixture calls() { return of(Kind::kCalls); }

}  // namespace

TEST("in a flood of signals reading rests until two dozen have gathered") {
  Fixture flooded = signals();
  CHECK(flooded.flood(10) == 240);
  CHECK(flooded.read(290, 29) == 240 && flooded.read(290, 300) == 240);
}

TEST("no rest is longer than a millisecond") {
  Fixture flooded = signals();
  CHECK(flooded.flood(90) == 1000);
}

TEST("signals that come more slowly are read as they come, and so is a burst") {
  CHECK(signals().flood(101, 1000) == 0);
  Fixture burst = signals();
  CHECK(burst.read(10, 60) == 0);
}

TEST("a rest that brings little is the last one, until messages were timed again without one") {
  Fixture flooded = signals();
  flooded.flood(10);
  CHECK(flooded.read(240, 17) == 0);
  CHECK(flooded.read(10, 20) == 0 && flooded.read(10, 20) == 0 && flooded.read(620, 24) == 240);
}

TEST(
    "how long rests are does not depend on rests: a sender that waits for a read is not held up more and "
    "more") {
  Fixture flooded = signals();
  flooded.flood(10);
  for (int i = 0; i < 100; i++) CHECK(flooded.read(1000, 18) == 240);
}

TEST("in a flood of signals a call ends the rest and the flood") {
  Fixture flooded = signals();
  flooded.flood(10);
  flooded.gathering.call_sent();
  CHECK(flooded.rest() == 0 && flooded.read(240, 24) == 0);
}

TEST("replies gather while many calls wait, at most a third of those") {
  CHECK(replies(1000).flood(10) == 240);
  CHECK(replies(60).flood(10) == 200);
  CHECK(replies(30).flood(10) == 100);
}

TEST("where few calls wait, replies are read as they come") {
  CHECK(replies(29).flood(10) == 0 && replies(0).flood(10) == 0);
  Fixture caller = replies(100);
  caller.flood(10);
  caller.waiting = 0;
  CHECK(caller.read(240, 24) == 0);
}

TEST("the next calls go on being answered in rests, but a call out of turn ends the rest") {
  Fixture caller = replies(100);
  CHECK(caller.flood(10) == 240);
  caller.gathering.call_sent();
  CHECK(caller.rest() == 240);
  caller.gathering.end_rest();
  CHECK(caller.rest() == 0);
  CHECK(caller.read(240, 24) == 240);
}

TEST("calls gather, half of what came in a long rest, if that was as many as before") {
  Fixture service = calls();
  CHECK(service.flood(10) == 240);
  CHECK(service.read(240, 22) == 110);
  CHECK(service.read(110, 11) == 110);
}

TEST("callers that wait for answers before they call again are not held up, but for a try now and then") {
  Fixture service = calls();
  CHECK(service.flood(10) == 240);
  CHECK(service.read(300, 22) == 0);
  CHECK(service.flood(10, 255) == 0 && service.read(10) == 240);
  CHECK(service.read(240, 10) == 0);
  CHECK(service.flood(10, 1023) == 0 && service.read(10) == 240);
}

TEST("calls that come so slowly that few would gather are not gathered, though it was tried") {
  Fixture service = calls();
  CHECK(service.flood(60) == 1000);
  CHECK(service.read(1000, 17) == 0 && service.flood(60, 255) == 0);
}

TEST("callers appear and disappear: another try follows after some rests") {
  Fixture service = calls();
  service.flood(10);
  CHECK(service.read(240, 24) == 120);
  for (int i = 0; i < 1023; i++) CHECK(service.read(120, 12) == 120);
  CHECK(service.read(120, 12) == 240);
  CHECK(service.read(240, 12) == 0);
}

TEST("messages that arrive in groups are read when they arrive") {
  Fixture peer = replies(1000);
  for (int i = 0; i < 4; i++) CHECK(peer.read(50, 50) == 0);
}

TEST("a service that makes a call waits for the reply: its own call ends the rest") {
  Fixture service = calls();
  service.flood(10);
  CHECK(service.read(240, 24) == 120);
  service.gathering.call_sent();
  CHECK(service.rest() == 0 && service.read(120, 12) == 0);
}

TEST("messages of another kind are timed from the beginning") {
  Fixture connection = signals();
  connection.flood(10);
  connection.kind = Kind::kCalls;
  CHECK(connection.read(400, 40) == 0);
  connection.kind = Kind::kSignals;
  CHECK(connection.read(400, 40) == 0 && connection.read(10, 63) == 0);
}

TEST("a connection that was called is not made to wait for signals, until very many came without a call") {
  Fixture service = signals();
  CHECK(service.flood(10) == 240);
  // The one call that may have waited.
  service.kind = Kind::kCalls;
  CHECK(service.read(240, 24) == 0);
  service.kind = Kind::kSignals;
  CHECK(service.flood(10, Gathering::kSignalsAlone) == 0);
  CHECK(service.flood(10, 63) == 0 && service.read(10) == 240);
}

TEST("whatever comes in between, signals gather only if the last call was that long ago: by a model") {
  for (uint32_t seed = 1; seed <= 200; seed++) {
    std::mt19937 random(seed);
    const auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
    Fixture connection;
    uint64_t alone = Gathering::kSignalsAlone;
    int rests = 0;
    for (int step = 0; step < 400; step++) {
      // Mostly runs of signals, so that reading comes to rest.
      const uint32_t what = below(12);
      connection.kind = what == 0 ? Kind::kCalls : what == 1 ? Kind::kReplies : Kind::kSignals;
      connection.waiting = below(200);
      const uint32_t run = what < 2 ? 1 : 1 + below(100);
      const uint32_t count = below(8) == 0 ? 1 + below(Gathering::kSignalsAlone) : 1 + below(30);
      for (uint32_t i = 0; i < run; i++) {
        const bool is_long_ago = alone >= Gathering::kSignalsAlone;
        if (connection.kind == Kind::kCalls) alone = 0;
        if (connection.kind == Kind::kSignals) alone += count;
        const uint64_t rest = connection.read(uint64_t{10} * count, count);
        CHECK(rest <= 1000);
        if (connection.kind != Kind::kSignals || rest == 0) continue;
        CHECK(is_long_ago);
        rests++;
      }
      if (below(20) == 0) connection.gathering.call_sent();
      if (below(20) == 0) connection.gathering.end_rest();
    }
    CHECK(rests > 0);
  }
}
