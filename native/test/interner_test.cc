// Ids of header strings, and what a flood of them does.
#include "inbox/interner.h"

#include <map>
#include <string>

#include "check.h"
#include "wire/work.h"

using busbar::inbox::Interner;

TEST("a string is new once, and keeps its id") {
  Interner interner(4);
  const auto first = interner.intern("org.example");
  CHECK(first.is_new && first.id == 1);
  CHECK(interner.knows("org.example") && !interner.knows("org.exampl"));
  interner.begin_batch();
  const auto again = interner.intern("org.example");
  CHECK(!again.is_new && again.id == first.id);
}

TEST("strings that differ only where a word ends do not share a place, whatever the keys are") {
  Interner interner;
  const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  size_t count = 0;
  const uint64_t before = busbar::wire::steps_taken;
  for (const char one : letters) {
    for (const char other : letters) {
      interner.intern(std::string("org.example.Interface") + one + other);
      count++;
    }
  }
  // About as many comparisons as strings; were they in one chain, it would be half their square.
  CHECK(busbar::wire::steps_taken - before < 8 * count);
}

TEST("an id is not reused in the batch that it appears in") {
  Interner interner(4);
  std::map<int32_t, std::string> seen;
  for (int i = 0; i < 100; i++) {
    const std::string text = std::to_string(i);
    const auto result = interner.intern(text);
    CHECK(result.is_new);
    CHECK(seen.emplace(result.id, text).second);
  }
}

TEST("an old string that appears again in a batch is not evicted in it") {
  Interner interner(4);
  for (const char* text : {"a", "b", "c", "d"}) CHECK(interner.intern(text).is_new);
  interner.begin_batch();
  const int32_t kept = interner.intern("a").id;
  for (const char* text : {"e", "f", "g", "h", "i"}) CHECK(interner.intern(text).id != kept);
  CHECK(!interner.intern("a").is_new);
}

TEST("an evicted string is new again") {
  Interner interner(2);
  CHECK(interner.intern("a").is_new);
  for (const char* text : {"b", "c", "d"}) {
    interner.begin_batch();
    CHECK(interner.intern(text).is_new);
  }
  interner.begin_batch();
  CHECK(interner.intern("a").is_new);
}

TEST("a long string gets an id for its batch only") {
  Interner interner(4);
  const std::string text(Interner::kMaxLength + 1, 'x');
  const auto first = interner.intern(text);
  CHECK(first.is_new && first.id > 4);
  CHECK(!interner.knows(text));
  interner.begin_batch();
  CHECK(interner.intern(text).is_new);
  const std::string longest(Interner::kMaxLength, 'y');
  CHECK(interner.intern(longest).id <= 4);
  CHECK(!interner.intern(longest).is_new);
}

TEST("a table that grows keeps its strings, their ids and their marks") {
  constexpr int kCapacity = 1000;
  Interner interner(kCapacity);
  const auto text = [](int number) { return "org.example.N" + std::to_string(number); };
  for (int i = 0; i < kCapacity; i++) {
    const auto added = interner.intern(text(i));
    CHECK(added.is_new && added.id == i + 1);
    if (i % 3 == 0) interner.set_mark(added.id, 5);
    // Ids of one batch are beyond those of the table at any size of it.
    CHECK(interner.intern(std::string(Interner::kMaxLength + 1, 'x')).id > kCapacity);
    if ((i & (i + 1)) != 0 && i != kCapacity - 1) continue;
    for (int known = 0; known <= i; known++) {
      CHECK(!interner.intern(text(known)).is_new && interner.intern(text(known)).id == known + 1);
      CHECK(interner.has_mark(interner.look_up(text(known)), 5) == (known % 3 == 0));
    }
  }
  interner.begin_batch();
  CHECK(interner.intern("one more").id <= kCapacity);
}

TEST("under a flood of strings ids stay bounded and what JavaScript knows stays true") {
  constexpr int kCapacity = 64;
  Interner interner(kCapacity);
  // What JavaScript would keep: the string of each id, as last announced.
  std::map<int32_t, std::string> known;
  uint32_t random = 1;
  for (int batch = 0; batch < 2000; batch++) {
    interner.begin_batch();
    std::map<int32_t, std::string> in_batch;
    for (int i = 0; i < 100; i++) {
      random = random * 1664525 + 1013904223;
      const std::string text = "org.example.N" + std::to_string((random >> 8) % 500);
      const auto result = interner.intern(text);
      CHECK(result.id >= 1 && result.id <= kCapacity + 100);
      if (result.is_new) known[result.id] = text;
      CHECK(known[result.id] == text);
      const auto [entry, added] = in_batch.emplace(result.id, text);
      CHECK(added || entry->second == text);
    }
  }
}
