// The order of turns, and how many of them fit a round.
#include "loop/turns.h"

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <vector>

#include "base/clock.h"
#include "check.h"

using busbar::monotonic_now;
using namespace busbar::loop;

namespace {

constexpr uint64_t kNever = UINT64_MAX;

struct Taker final : Turns::Taker {
  void on_turn() override {
    turns++;
    if (in_turn) in_turn();
  }

  int turns = 0;
  std::function<void()> in_turn;
};

}  // namespace

TEST("turns come in the order in which they were asked for, one for each taker") {
  Turns turns;
  std::array<Taker, 3> takers;
  std::vector<int> order;
  for (int i = 0; i < 3; i++) takers[static_cast<size_t>(i)].in_turn = [&order, i] { order.push_back(i); };
  for (const size_t i : {2u, 0u, 2u, 1u, 0u}) turns.add(takers[i]);
  CHECK(takers[0].is_waiting() && !turns.is_empty());
  turns.run(kNever);
  CHECK((order == std::vector<int>{2, 0, 1}));
  CHECK(turns.is_empty() && !takers[0].is_waiting());
}

TEST("a round whose time is over has one turn, and the others keep their places") {
  Turns turns;
  std::array<Taker, 3> takers;
  for (Taker& taker : takers) turns.add(taker);
  turns.run(0);
  CHECK(takers[0].turns == 1 && takers[1].turns == 0 && takers[2].turns == 0);
  // It is busy, but the others come first.
  turns.add(takers[0]);
  turns.run(0);
  turns.run(0);
  CHECK(takers[0].turns == 1 && takers[1].turns == 1 && takers[2].turns == 1);
  turns.run(0);
  CHECK(takers[0].turns == 2 && turns.is_empty());
}

TEST("a round goes on until its time is over") {
  Turns turns;
  std::array<Taker, 50> takers;
  for (Taker& taker : takers) {
    taker.in_turn = [] {
      const uint64_t end = monotonic_now() + 1000;
      while (monotonic_now() < end) {
      }
    };
    turns.add(taker);
  }
  turns.run(monotonic_now() + 10'000);
  int taken = 0;
  for (const Taker& taker : takers) taken += taker.turns;
  // Fewer where the processor was taken away.
  CHECK(taken >= 1 && taken <= 10);
  CHECK(!turns.is_empty());
  while (!turns.is_empty()) turns.run(kNever);
}

TEST("a turn that is asked for in a turn is one of the next round") {
  Turns turns;
  Taker taker, other;
  taker.in_turn = [&] {
    turns.add(taker);
    turns.add(other);
  };
  turns.add(taker);
  turns.run(kNever);
  CHECK(taker.turns == 1 && other.turns == 0);
  turns.run(kNever);
  CHECK(taker.turns == 2 && other.turns == 1);
  turns.remove(taker);
  turns.remove(other);
}

TEST("a taker that is removed, or gone, has no turn, in a round that is under way either") {
  Turns turns;
  Taker first;
  std::vector<Taker*> others;
  others.reserve(3);
  for (int i = 0; i < 3; i++) others.push_back(new Taker);
  Taker last;
  first.in_turn = [&] {
    for (Taker* taker : others) delete taker;
    turns.remove(last);
  };
  turns.add(first);
  for (Taker* taker : others) turns.add(*taker);
  turns.add(last);
  turns.run(kNever);
  CHECK(first.turns == 1 && last.turns == 0 && turns.is_empty());
}

TEST("a round that runs within a turn has the turns that wait, and none twice") {
  Turns turns;
  Taker outer, inner, behind;
  outer.in_turn = [&] {
    turns.add(inner);
    turns.run(kNever);
  };
  turns.add(outer);
  turns.add(behind);
  turns.run(kNever);
  CHECK(outer.turns == 1 && inner.turns == 1 && behind.turns == 1 && turns.is_empty());
}

// A model: a list of numbers.
TEST("any order of asking, removing and short rounds is that of a list") {
  for (unsigned seed = 0; seed < 300; seed++) {
    std::mt19937 random(seed);
    Turns turns;
    std::array<Taker, 8> takers;
    std::vector<size_t> model, expected, actual;
    for (size_t i = 0; i < takers.size(); i++) takers[i].in_turn = [&actual, i] { actual.push_back(i); };
    for (int step = 0; step < 200; step++) {
      const size_t one = random() % takers.size();
      const auto place = std::find(model.begin(), model.end(), one);
      switch (random() % 3) {
        case 0:
          turns.add(takers[one]);
          if (place == model.end()) model.push_back(one);
          break;
        case 1:
          turns.remove(takers[one]);
          if (place != model.end()) model.erase(place);
          break;
        case 2:
          turns.run(0);
          if (model.empty()) break;
          expected.push_back(model.front());
          model.erase(model.begin());
      }
      CHECK(turns.is_empty() == model.empty());
    }
    REQUIRE(actual == expected);
  }
}
