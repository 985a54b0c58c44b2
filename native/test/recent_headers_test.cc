// Headers that came before: a message says the same whether its header is compared or read.
#include "inbox/recent_headers.h"

#include <map>
#include <string>

#include "check.h"
#include "inbox_fixture.h"
#include "message_bytes.h"
#include "transport/message_store.h"

using namespace busbar;
using namespace busbar::test;
using Stored = transport::MessageStore::Stored;

namespace {

// What JavaScript sees of a message.
struct Seen {
  inbox::Row row;
  std::array<std::string, 7> strings;
  std::vector<uint8_t> body;

  bool operator==(const Seen& other) const {
    return std::memcmp(&row, &other.row, sizeof row) == 0 && strings == other.strings && body == other.body;
  }
};

// A receiver, which keeps the strings that were announced as JavaScript does.
class Receiver {
 public:
  explicit Receiver(inbox::Limits limits = {}) : fixture_({}, limits) {}

  void begin_batch() {
    fixture_.begin_batch();
    announced_ = 0;
  }

  Stored store(const std::vector<uint8_t>& bytes) {
    if (fixture_.inbox.is_full()) return Stored::kBatchFull;
    wire::Frame frame;
    CHECK(wire::read_frame(bytes, frame).is_sound());
    return store_.store(bytes, frame, fixture_.inbox);
  }

  // The last message. Ids differ between receivers, so they are left out.
  Seen seen() {
    for (const int32_t count = fixture_.inbox.new_strings(); announced_ < count; announced_++) {
      const int32_t* entry =
          fixture_.strings.data() + static_cast<size_t>(announced_) * inbox::kStringEntryLength;
      const auto begin = fixture_.arena.begin() + entry[1];
      strings_[entry[0]] = std::string(begin, begin + entry[2]);
    }
    Seen seen{fixture_.row(static_cast<size_t>(fixture_.inbox.count()) - 1), {}, {}};
    seen.body = fixture_.body(seen.row);
    inbox::Row& row = seen.row;
    size_t at = 0;
    for (int32_t* id : {&row.path, &row.interface, &row.member, &row.error_name, &row.destination,
                        &row.sender, &row.signature}) {
      if (*id != 0) seen.strings[at] = strings_.at(*id);
      *id = *id != 0;
      at++;
    }
    row.body_offset = 0;
    return seen;
  }

 private:
  InboxFixture fixture_;
  transport::MessageStore store_;
  std::map<int32_t, std::string> strings_;
  int32_t announced_ = 0;
};

// Numbers that are the same in every run.
class Numbers {
 public:
  uint32_t below(uint32_t limit) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33) % limit;
  }

 private:
  uint64_t state_ = 17;
};

std::vector<uint8_t> message_of(Numbers& numbers, uint32_t serial) {
  const std::string path = numbers.below(3) == 0 ? "/n" + std::to_string(numbers.below(9000)) : "/a";
  const std::string sender = ":1." + std::to_string(numbers.below(3));
  const char* const signatures[] = {"", "s", "u"};
  const std::string_view signature = signatures[numbers.below(3)];
  Bytes body;
  if (signature == "s") body.string(std::string(numbers.below(30), 'x'));
  if (signature == "u") body.u32(numbers.below(100));
  // The body may be missing, or be there without a signature.
  if (numbers.below(20) == 0) body = Bytes().u32(0);
  MessageFields fields = {.type = static_cast<uint8_t>(1 + numbers.below(4)),
                          .flags = static_cast<uint8_t>(numbers.below(2)),
                          .serial = serial,
                          .path = path,
                          .interface = "a.b",
                          .member = numbers.below(2) == 0 ? "C" : "D",
                          .destination = ":1.9",
                          .sender = sender,
                          .signature = signature,
                          .big = numbers.below(10) == 0};
  if (fields.type == wire::kMethodReturn || fields.type == wire::kError || numbers.below(10) == 0)
    fields.reply_serial = numbers.below(5);
  if (fields.type == wire::kError) fields.error_name = "a.b.E";
  std::vector<uint8_t> bytes = message_bytes(fields, body);
  // Any byte but those that say how long the message is.
  if (numbers.below(4) == 0) {
    const size_t at = 16 + numbers.below(static_cast<uint32_t>(bytes.size() - 16));
    bytes[at] = static_cast<uint8_t>(bytes[at] ^ (1u << numbers.below(8)));
  }
  return bytes;
}

}  // namespace

TEST("a receiver that saw many headers sees in a message what a new receiver sees") {
  const inbox::Limits limits{.message_size = 150};
  Numbers numbers;
  Receiver old(limits);
  for (uint32_t serial = 1; serial <= 20000; serial++) {
    const std::vector<uint8_t> bytes = message_of(numbers, serial);
    if (numbers.below(20) == 0) old.begin_batch();
    Stored stored = old.store(bytes);
    if (stored == Stored::kBatchFull) {
      old.begin_batch();
      stored = old.store(bytes);
    }
    Receiver fresh(limits);
    REQUIRE(stored == fresh.store(bytes));
    if (stored == Stored::kDone) REQUIRE(old.seen() == fresh.seen());
  }
}

TEST("headers that differ in serials and in the length of the body are the same") {
  const auto bytes = [](uint32_t serial, uint32_t reply_serial, std::string_view text,
                        std::string_view sender) {
    return message_bytes({.type = wire::kMethodReturn,
                          .serial = serial,
                          .reply_serial = reply_serial,
                          .destination = ":1.1",
                          .sender = sender,
                          .signature = "s"},
                         Bytes().string(text));
  };
  InboxFixture fixture;
  transport::MessageStore store;
  const auto is_known = [&](const std::vector<uint8_t>& message) {
    wire::Frame frame;
    CHECK(wire::read_frame(message, frame).is_sound());
    inbox::Row row;
    return fixture.inbox.add_known_header(message, frame, row) != nullptr;
  };
  const std::vector<uint8_t> first = bytes(1, 7, "one", ":1.2");
  wire::Frame frame;
  REQUIRE(wire::read_frame(first, frame).is_sound());
  CHECK(!is_known(first));
  REQUIRE(store.store(first, frame, fixture.inbox) == Stored::kDone);
  CHECK(is_known(first));
  CHECK(is_known(bytes(9, 8, "a longer text", ":1.2")));
  CHECK(!is_known(bytes(9, 0, "one", ":1.2")));
  CHECK(!is_known(bytes(9, 8, "one", ":1.3")));
}
