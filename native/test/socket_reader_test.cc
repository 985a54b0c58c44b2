// Receiving over a socket: framing, large messages, batches and budgets.
#include <cerrno>
#include <string>

#include "reader_fixture.h"

using namespace busbar;
using namespace busbar::test;
using inbox::Fault;
using inbox::fault_code;
using inbox::Row;
using transport::SocketReader;
using wire::kNoReplyExpected;
using wire::Rule;

namespace {

using Fixture = ReaderFixture;

}  // namespace

TEST("a stream may be split anywhere") {
  std::vector<uint8_t> stream;
  for (uint32_t serial = 1; serial <= 3; serial++) {
    const std::vector<uint8_t> one = signal_bytes("su", Bytes().string("text").u32(serial), serial);
    stream.insert(stream.end(), one.begin(), one.end());
  }
  for (size_t at = 0; at <= stream.size(); at++) {
    Fixture fixture;
    std::vector<Row> seen;
    const auto take = [&](std::span<const uint8_t> part) {
      if (!part.empty()) fixture.sockets.send(part);
      const int32_t count = fixture.read();
      for (int32_t i = 0; i < count; i++) {
        const Row row = fixture.row(static_cast<size_t>(i));
        CHECK(fixture.body(row) == Bytes().string("text").u32(static_cast<uint32_t>(row.serial)).bytes);
        seen.push_back(row);
      }
    };
    take(std::span(stream).first(at));
    take(std::span(stream).subspan(at));
    REQUIRE(seen.size() == 3 && seen[0].serial == 1 && seen[2].serial == 3 && !fixture.reader.end());
  }
}

TEST("messages that come byte by byte arrive whole") {
  Fixture fixture;
  int32_t count = 0;
  for (uint32_t serial = 1; serial <= 3; serial++) {
    for (const uint8_t byte : signal_bytes("s", Bytes().string("text"), serial)) {
      fixture.sockets.send(std::span(&byte, 1));
      count += fixture.read();
    }
  }
  CHECK(count == 3);
}

TEST("readers that share a buffer keep the rest of an unfinished message apart") {
  constexpr size_t kReaders = 4;
  InboxFixture shared;
  std::array<SocketPair, kReaders> sockets;
  std::vector<std::unique_ptr<SocketReader>> readers;
  readers.reserve(kReaders);
  for (const SocketPair& pair : sockets) readers.push_back(std::make_unique<SocketReader>(pair.ours));
  struct Sent {
    std::vector<uint8_t> bytes;
    size_t at = 0;
    uint32_t serial = 0;
  };
  std::array<Sent, kReaders> sent;
  uint32_t random = 7;
  const auto next = [&](size_t limit) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % limit;
  };
  int32_t count = 0;
  for (int step = 0; step < 4000; step++) {
    const size_t which = next(kReaders);
    Sent& message = sent[which];
    if (message.at == message.bytes.size()) {
      const std::string text(next(3000), static_cast<char>('a' + which));
      message = {signal_bytes("s", Bytes().string(text), ++message.serial), 0, message.serial};
    }
    // Every other portion is empty: a reader that has nothing to read gives the buffer back as well.
    const size_t length = std::min(next(2) * next(4000), message.bytes.size() - message.at);
    if (length > 0) sockets[which].send(std::span(message.bytes).subspan(message.at, length));
    message.at += length;
    shared.begin_batch();
    readers[which]->read(shared.inbox);
    CHECK(!readers[which]->end());
    const bool is_whole = length > 0 && message.at == message.bytes.size();
    REQUIRE(shared.inbox.count() == (is_whole ? 1 : 0));
    if (!is_whole) continue;
    count++;
    const Row row = shared.row(0);
    CHECK(row.fault == 0 && static_cast<uint32_t>(row.serial) == message.serial);
    const std::vector<uint8_t> body = shared.body(row);
    const std::vector<uint8_t> tail(message.bytes.end() - static_cast<ptrdiff_t>(body.size()),
                                    message.bytes.end());
    CHECK(body == tail);
  }
  CHECK(count > 500);
}

TEST("a large message is delivered alone, between the others, wherever it is split") {
  const Bytes body = long_array(100'000);
  const std::vector<uint8_t> large = signal_bytes("ay", body, 2);
  for (const size_t at : {1u, 15u, 16u, 17u, 60u, 64u, 72u, 73u, 80u, 99'000u}) {
    Fixture fixture;
    fixture.sockets.send(signal_bytes("u", Bytes().u32(1), 1));
    fixture.sockets.send(std::span(large).first(at));
    CHECK(fixture.read() == 1 && fixture.row(0).serial == 1);
    fixture.sockets.send(std::span(large).subspan(at));
    fixture.sockets.send(signal_bytes("u", Bytes().u32(3), 3));
    REQUIRE(fixture.read() == 1);
    CHECK(fixture.inbox.has_large_body() && fixture.row(0).serial == 2);
    CHECK(fixture.body(fixture.row(0)) == body.bytes);
    CHECK(fixture.reader.has_held());
    CHECK(fixture.read() == 1 && fixture.row(0).serial == 3 && !fixture.reader.has_held());
  }
}

TEST("a body that fits the buffer but not the arena is delivered alone") {
  Fixture fixture(4096);
  const Bytes body = long_array(20'000);
  fixture.sockets.send(signal_bytes("u", Bytes().u32(1), 1));
  fixture.sockets.send(signal_bytes("ay", body, 2));
  CHECK(fixture.read() == 1 && fixture.reader.has_held());
  CHECK(fixture.read() == 1 && fixture.body(fixture.row(0)) == body.bytes);
}

TEST("a corrupt large body costs its message only") {
  Fixture fixture;
  std::vector<uint8_t> bytes = signal_bytes("ay", long_array(100'000));
  bytes[bytes.size() - 100'001] ^= 1;
  fixture.sockets.send(bytes);
  fixture.sockets.send(signal_bytes("u", Bytes().u32(1), 4));
  REQUIRE(fixture.read() == 2);
  CHECK((fixture.row(0).fault & 0xff) == 1 && fixture.row(0).body_length == 0 && fixture.row(1).fault == 0);
}

TEST("a batch ends when its rows are full, and the rest follows in order") {
  Fixture fixture(65536, 4);
  for (uint32_t serial = 1; serial <= 10; serial++) {
    fixture.sockets.send(signal_bytes("u", Bytes().u32(serial), serial));
  }
  int32_t expected = 1;
  for (const int32_t count : {4, 4, 2}) {
    REQUIRE(fixture.read() == count);
    for (size_t i = 0; i < static_cast<size_t>(count); i++) CHECK(fixture.row(i).serial == expected++);
  }
  CHECK(!fixture.reader.has_held() && fixture.read() == 0);
}

TEST("a turn takes about 256 KiB and leaves the rest to the next") {
  Fixture fixture(1 << 20, 100'000);
  int size = 8 << 20;
  setsockopt(fixture.sockets.theirs, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  const std::vector<uint8_t> one = signal_bytes("ay", long_array(30'000));
  size_t sent = 0;
  while (sent < 40 && ::send(fixture.sockets.theirs, one.data(), one.size(), MSG_DONTWAIT) > 0) sent++;
  if (sent < 20) SKIP("the kernel's buffer for sockets is too small");
  const int32_t first = fixture.read();
  CHECK(first > 0 && static_cast<size_t>(first) * one.size() <= 350'000);
  CHECK(!fixture.reader.is_drained());
}

TEST("a broken frame ends the stream behind what came before, and names the rule and the place") {
  const auto detail_of = [](std::vector<uint8_t> bytes) {
    Fixture fixture;
    fixture.sockets.send(signal_bytes("u", Bytes().u32(1)));
    fixture.sockets.send(bytes);
    CHECK(fixture.read() == 1);
    CHECK(fixture.is_broken());
    CHECK(fixture.read() == 0);
    return text_of(fixture.reader);
  };
  std::vector<uint8_t> bytes = signal_bytes("u", Bytes().u32(1));
  bytes[3] = 9;
  CHECK(detail_of(bytes) == "the protocol version must be 1 (byte 3 of a message)");
  CHECK(!detail_of(std::vector<uint8_t>(64, 0)).empty());
  CHECK(!detail_of({'H', 'T', 'T', 'P'}).empty());
  CHECK(!detail_of(signal_bytes("h", Bytes().u32(0), 3, 1)).empty());
}

TEST("a broken header costs its own message, and names the rule") {
  Fixture fixture;
  std::vector<uint8_t> bad_path = signal_bytes("u", Bytes().u32(1), 7);
  bad_path[24] = 'a';
  fixture.sockets.send(signal_bytes("u", Bytes().u32(1)));
  fixture.sockets.send(bad_path);
  fixture.sockets.send(signal_bytes("u", Bytes().u32(2), 8));
  REQUIRE(fixture.read() == 3 && !fixture.reader.end());
  CHECK(fixture.row(0).fault == 0 && fixture.row(2).fault == 0 && fixture.row(2).serial == 8);
  CHECK(fixture.row(1).fault == fault_code(Fault::kInvalidHeader, Rule::kPath));
  CHECK(fixture.row(1).serial == 7 && fixture.row(1).path == 0 && fixture.row(1).member != 0);
  CHECK(fixture.row(1).body_length == 0);
}

TEST("a caller that is not known to wait for an answer is not answered") {
  const auto flags_of = [](MessageFields fields) {
    fields.type = 1;
    fields.path = "/a";
    fields.member = "not.one";
    Fixture fixture;
    fixture.sockets.send(message_bytes(fields));
    CHECK(fixture.read() == 1);
    return fixture.row(0).flags;
  };
  CHECK(flags_of({.destination = ":1.2", .sender = ":1.3"}) == 0);
  CHECK(flags_of({.destination = "nodots", .sender = ":1.3"}) == kNoReplyExpected);
  CHECK(flags_of({.destination = ":1.2", .sender = ".."}) == kNoReplyExpected);
}

TEST("a message that is larger than the limit is skipped as it comes, and its header read") {
  for (const size_t length : {size_t{2'000}, size_t{90'000}, size_t{3'000'000}}) {
    SocketPair sockets;
    InboxFixture inbox({}, {.message_size = 1500});
    SocketReader reader(sockets.ours);
    std::vector<uint8_t> stream = message_bytes(
        {.type = 1, .serial = 6, .path = "/a", .member = "M", .sender = ":1.5", .signature = "ay"},
        long_array(length));
    const std::vector<uint8_t> next = signal_bytes("u", Bytes().u32(1), 9);
    stream.insert(stream.end(), next.begin(), next.end());
    std::vector<Row> rows;
    for (size_t at = 0; at < stream.size();) {
      const size_t part = std::min<size_t>(50'000, stream.size() - at);
      sockets.send(std::span(stream).subspan(at, part));
      at += part;
      inbox.begin_batch();
      reader.read(inbox.inbox);
      for (size_t i = 0; i < static_cast<size_t>(inbox.inbox.count()); i++) rows.push_back(inbox.row(i));
      CHECK(!inbox.inbox.has_large_body());
    }
    for (int i = 0; i < 3; i++) {
      inbox.begin_batch();
      reader.read(inbox.inbox);
      if (inbox.inbox.count() > 0) rows.push_back(inbox.row(0));
    }
    REQUIRE(rows.size() == 2 && !reader.end());
    CHECK(rows[0].fault == fault_code(Fault::kMessageSize) && rows[0].serial == 6 && rows[0].sender != 0);
    CHECK(rows[0].body_length == 0 && rows[1].serial == 9 && rows[1].fault == 0);
  }
}

TEST("of a header that is larger than a message may be, the fixed part is read") {
  SocketPair sockets;
  InboxFixture inbox({}, {.message_size = 1500});
  SocketReader reader(sockets.ours);
  const std::string path = "/" + std::string(99'999, 'p');
  sockets.send(message_bytes({.type = 1, .serial = 6, .path = path, .member = "M", .sender = ":1.5"}));
  sockets.send(signal_bytes("u", Bytes().u32(1), 9));
  std::vector<Row> rows;
  for (int i = 0; i < 6; i++) {
    inbox.begin_batch();
    reader.read(inbox.inbox);
    for (size_t row = 0; row < static_cast<size_t>(inbox.inbox.count()); row++)
      rows.push_back(inbox.row(row));
  }
  REQUIRE(rows.size() == 2 && !reader.end());
  CHECK(rows[0].fault == fault_code(Fault::kMessageSize) && rows[0].serial == 6 && rows[0].type == 1);
  CHECK(rows[0].flags == kNoReplyExpected && rows[1].serial == 9 && rows[1].fault == 0);
}

TEST("a path that no arena holds comes behind the body, with the sender and all else") {
  for (const size_t length : {size_t{65'533}, size_t{70'000}, size_t{600'000}}) {
    Fixture fixture;
    const std::string path = "/" + std::string(length - 1, 'p');
    Bytes body;
    body.string("text");
    std::vector<uint8_t> stream = message_bytes({.type = 4,
                                                 .serial = 3,
                                                 .path = path,
                                                 .interface = "a.b",
                                                 .member = "C",
                                                 .sender = ":1.7",
                                                 .signature = "s"},
                                                body);
    int32_t count = 0;
    for (size_t at = 0; at < stream.size();) {
      const size_t part = std::min<size_t>(50'000, stream.size() - at);
      fixture.sockets.send(std::span(stream).subspan(at, part));
      at += part;
      count = fixture.read();
    }
    for (int i = 0; i < 3 && count == 0; i++) count = fixture.read();
    REQUIRE(count == 1 && fixture.inbox.has_large_body());
    const Row row = fixture.row(0);
    const std::span<const uint8_t> large = fixture.inbox.large_body();
    CHECK(row.fault == 0 && row.sender != 0 && row.signature != 0 && row.path != 0);
    CHECK(std::equal(body.bytes.begin(), body.bytes.end(), large.begin()));
    CHECK(row.body_length == static_cast<int32_t>(body.bytes.size()));
    bool is_found = false;
    for (size_t i = 0; i < static_cast<size_t>(fixture.inbox.new_strings()); i++) {
      const int32_t* entry = fixture.strings.data() + i * inbox::kStringEntryLength;
      if (entry[0] != row.path) continue;
      const size_t at = ~static_cast<size_t>(entry[1]);
      is_found = entry[1] < 0 && large.size() == at + length &&
                 std::equal(path.begin(), path.end(), large.begin() + static_cast<std::ptrdiff_t>(at));
    }
    CHECK(is_found);
  }
}

TEST("unknown message types are ignored, whatever their fields are") {
  Fixture fixture;
  fixture.sockets.send(message_bytes({.type = 9}));
  fixture.sockets.send(message_bytes({.type = 9, .path = "no path", .destination = "nodots"}));
  fixture.sockets.send(signal_bytes("u", Bytes().u32(1)));
  CHECK(fixture.read() == 1 && !fixture.reader.end());
}

TEST("a spare REPLY_SERIAL is ignored") {
  Fixture fixture;
  fixture.sockets.send(
      message_bytes({.type = 4, .reply_serial = 9, .path = "/a", .interface = "a.b", .member = "C"}));
  fixture.sockets.send(message_bytes({.type = 2, .reply_serial = 9}));
  REQUIRE(fixture.read() == 2);
  CHECK(fixture.row(0).reply_serial == 0 && fixture.row(1).reply_serial == 9);
}

TEST("the end of the stream comes after the last message") {
  Fixture fixture;
  fixture.sockets.send(signal_bytes("u", Bytes().u32(1)));
  fixture.sockets.hang_up();
  CHECK(fixture.read() == 1);
  CHECK(fixture.read() == 0 && fixture.reader.end() && fixture.reader.end()->error == ECONNRESET);
  CHECK(text_of(fixture.reader).empty());
}
