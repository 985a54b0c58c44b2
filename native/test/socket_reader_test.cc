// Receiving over a socket: framing, large messages, batches, budgets, and whose descriptors are whose.
#include "transport/socket_reader.h"

#include <fcntl.h>

#include <cerrno>
#include <string>

#include "socket_fixture.h"

using namespace busbar;
using namespace busbar::test;
using transport::Row;
using transport::SocketReader;

namespace {

struct Fixture : InboxFixture {
  explicit Fixture(size_t arena_length = 65536, size_t row_count = 64)
      : InboxFixture(arena_length, row_count), reader(sockets.ours) {}

  // Takes one batch, and returns how many messages it has.
  int32_t read() {
    inbox.clear();
    reader.read(inbox);
    return inbox.count();
  }
  bool is_broken() const { return reader.end() && reader.end()->error == EBADMSG; }

  SocketPair sockets;
  SocketReader reader;
};

std::string text_of(const SocketReader& reader) { return reader.end() ? reader.end()->detail : ""; }

Bytes long_array(size_t length) {
  Bytes body;
  body.u32(static_cast<uint32_t>(length));
  for (size_t i = 0; i < length; i++) body.u8(static_cast<uint8_t>(i * 7));
  return body;
}

struct Pipe {
  Pipe() { CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0); }
  ~Pipe() {
    close_writer();
    ::close(ends[0]);
  }
  void close_writer() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
  // Whether nobody holds the writing end any more.
  bool is_closed() const {
    char byte;
    return ::read(ends[0], &byte, 1) == 0;
  }
  int ends[2];
};

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
  CHECK(fixture.row(0).fault == 1 && fixture.row(0).body_length == 0 && fixture.row(1).fault == 0);
}

TEST("a path that no batch can hold costs its message only") {
  Fixture fixture(4096);
  const std::string path = "/" + std::string(100'000, 'p');
  fixture.sockets.send(message_bytes({.type = 1, .serial = 5, .path = path, .member = "M"}));
  REQUIRE(fixture.read() == 1);
  CHECK(fixture.row(0).serial == 5 && fixture.row(0).path == 0 && fixture.row(0).fault == 3);
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

TEST("broken headers end the stream behind what came before, and name the rule and the place") {
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
  bytes = signal_bytes("u", Bytes().u32(1));
  bytes[24] = 'a';
  CHECK(detail_of(bytes) == "PATH must be an object path (byte 24 of a message)");
  CHECK(!detail_of(std::vector<uint8_t>(64, 0)).empty());
  CHECK(!detail_of({'H', 'T', 'T', 'P'}).empty());
  CHECK(!detail_of(signal_bytes("h", Bytes().u32(0), 3, 1)).empty());
}

TEST("unknown message types are ignored, if they are well-formed") {
  Fixture fixture;
  fixture.sockets.send(message_bytes({.type = 9}));
  fixture.sockets.send(signal_bytes("u", Bytes().u32(1)));
  CHECK(fixture.read() == 1);
  fixture.sockets.send(message_bytes({.type = 9, .path = "no path"}));
  CHECK(fixture.read() == 0 && fixture.is_broken());
}

TEST("a spare REPLY_SERIAL is ignored") {
  Fixture fixture;
  fixture.sockets.send(
      message_bytes({.type = 4, .reply_serial = 9, .path = "/a", .interface = "a.b", .member = "C"}));
  fixture.sockets.send(message_bytes({.type = 2, .reply_serial = 9}));
  REQUIRE(fixture.read() == 2);
  CHECK(fixture.row(0).reply_serial == 0 && fixture.row(1).reply_serial == 9);
}

TEST("descriptors belong to messages in order") {
  Fixture fixture;
  Pipe first, second, third;
  const std::vector<uint8_t> one = signal_bytes("h", Bytes().u32(0), 1, 1);
  fixture.sockets.send(signal_bytes("u", Bytes().u32(1)));
  fixture.sockets.send(one, std::span(&first.ends[1], 1));
  const int both[] = {second.ends[1], third.ends[1]};
  fixture.sockets.send(signal_bytes("hh", Bytes().u32(1).u32(0), 2, 2), both);
  for (Pipe* pipe : {&first, &second, &third}) pipe->close_writer();
  std::vector<Row> rows;
  std::vector<int> received;
  for (int i = 0; i < 3; i++) {
    const int32_t count = fixture.read();
    for (size_t j = 0; j < static_cast<size_t>(count); j++) {
      rows.push_back(fixture.row(j));
      for (int32_t k = 0; k < rows.back().fd_count; k++) {
        received.push_back(fixture.fds[static_cast<size_t>(rows.back().fd_offset) + static_cast<size_t>(k)]);
      }
    }
  }
  REQUIRE(rows.size() == 3 && received.size() == 3);
  CHECK(rows[0].fd_count == 0 && rows[1].fd_count == 1 && rows[2].fd_count == 2);
  for (size_t i = 0; i < 3; i++) {
    const char byte = static_cast<char>('a' + i);
    char back = 0;
    CHECK(::write(received[i], &byte, 1) == 1);
    CHECK(::read((i == 0 ? first : i == 1 ? second : third).ends[0], &back, 1) == 1 && back == byte);
    ::close(received[i]);
  }
}

TEST("descriptors may come with any byte of their message, in pieces") {
  const std::vector<uint8_t> bytes = signal_bytes("hh", Bytes().u32(0).u32(1), 1, 2);
  for (size_t at = 1; at < bytes.size(); at++) {
    Fixture fixture;
    Pipe first, second;
    fixture.sockets.send(std::span(bytes).first(at), std::span(&first.ends[1], 1));
    CHECK(fixture.read() == 0);
    fixture.sockets.send(std::span(bytes).subspan(at), std::span(&second.ends[1], 1));
    REQUIRE(fixture.read() == 1 && fixture.row(0).fd_count == 2);
    fixture.inbox.close_fds(0);
  }
}

TEST("descriptors of a corrupt body, of an unknown type, and of a broken stream are closed") {
  Pipe corrupt, unknown, surplus;
  {
    Fixture fixture;
    fixture.sockets.send(signal_bytes("ho", Bytes().u32(0).string("no path"), 1, 1),
                         std::span(&corrupt.ends[1], 1));
    corrupt.close_writer();
    REQUIRE(fixture.read() == 1);
    CHECK(fixture.row(0).fault == 1 && fixture.row(0).fd_count == 0 && corrupt.is_closed());
    fixture.sockets.send(message_bytes({.type = 9, .unix_fds = 1}), std::span(&unknown.ends[1], 1));
    unknown.close_writer();
    CHECK(fixture.read() == 0 && !fixture.reader.end() && unknown.is_closed());
    fixture.sockets.send(signal_bytes("u", Bytes().u32(1)), std::span(&surplus.ends[1], 1));
    surplus.close_writer();
    CHECK(fixture.read() == 0 && fixture.is_broken());
  }
  CHECK(surplus.is_closed());
}

TEST("more descriptors than any message may have are not hoarded") {
  Fixture fixture;
  Pipe pipe;
  const std::vector<int> many(253, pipe.ends[1]);
  const std::vector<uint8_t> bytes = signal_bytes("ay", long_array(1000), 1, 253);
  for (size_t at = 0; at < 8 && !fixture.reader.end(); at++) {
    fixture.sockets.send(std::span(bytes).subspan(at, 1), many);
    fixture.read();
  }
  CHECK(fixture.is_broken());
}

TEST("the end of the stream comes after the last message") {
  Fixture fixture;
  fixture.sockets.send(signal_bytes("u", Bytes().u32(1)));
  fixture.sockets.hang_up();
  CHECK(fixture.read() == 1);
  CHECK(fixture.read() == 0 && fixture.reader.end() && fixture.reader.end()->error == ECONNRESET);
  CHECK(text_of(fixture.reader).empty());
}
