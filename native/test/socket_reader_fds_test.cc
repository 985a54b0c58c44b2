// Receiving descriptors over a socket: which message they belong to, and which of them are closed.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "reader_fixture.h"

using namespace busbar;
using namespace busbar::test;
using inbox::Fault;
using inbox::fault_code;
using inbox::Row;
using transport::SocketReader;
using wire::Rule;

namespace {

using Fixture = ReaderFixture;

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
  // Whether the last writing end is closed.
  bool is_closed() const {
    char byte;
    return ::read(ends[0], &byte, 1) == 0;
  }
  int ends[2];
};

}  // namespace

TEST("descriptors of a message with a broken header are closed, if it says how many they are") {
  Pipe told, untold;
  {
    Fixture fixture;
    std::vector<uint8_t> bytes = signal_bytes("h", Bytes().u32(0), 1, 1);
    bytes[24] = 'a';
    fixture.sockets.send(bytes, std::span(&told.ends[1], 1));
    told.close_writer();
    REQUIRE(fixture.read() == 1 && !fixture.reader.end());
    CHECK(fixture.row(0).fd_count == 0 && told.is_closed());
    // A header whose fields cannot be told apart, and descriptors that may be its own, or those of the next
    // one.
    bytes = signal_bytes("h", Bytes().u32(0), 1, 1);
    bytes[17] = 200;
    fixture.sockets.send(bytes, std::span(&untold.ends[1], 1));
    untold.close_writer();
    CHECK(fixture.read() == 0 && fixture.is_broken());
  }
  CHECK(untold.is_closed());
}

TEST("without an agreement on descriptors they are closed, and a message that has some is refused alone") {
  SocketPair sockets;
  InboxFixture inbox;
  SocketReader reader(sockets.ours, false);
  Pipe pipe;
  sockets.send(signal_bytes("u", Bytes().u32(1)), std::span(&pipe.ends[1], 1));
  sockets.send(signal_bytes("h", Bytes().u32(0), 4, 1), std::span(&pipe.ends[1], 1));
  sockets.send(signal_bytes("h", Bytes().u32(0), 5, 1));
  pipe.close_writer();
  for (int i = 0; i < 4 && inbox.inbox.count() < 3; i++) reader.read(inbox.inbox);
  REQUIRE(inbox.inbox.count() == 3 && !reader.end());
  CHECK(inbox.row(0).fault == 0);
  CHECK(inbox.row(1).fault == fault_code(Fault::kInvalidHeader, Rule::kFdsUnasked));
  CHECK(inbox.row(2).fault == inbox.row(1).fault && inbox.row(2).fd_count == 0);
  CHECK(pipe.is_closed());
}

TEST("a received descriptor never replaces a closed standard stream") {
  const int input = fcntl(0, F_DUPFD_CLOEXEC, 10);
  Fixture fixture;
  Pipe pipe;
  ::close(0);
  fixture.sockets.send(signal_bytes("h", Bytes().u32(0), 1, 1), std::span(&pipe.ends[1], 1));
  const int32_t count = fixture.read();
  const int received = fixture.fds[0];
  const bool is_free = fcntl(0, F_GETFD) < 0;
  if (input >= 0) {
    dup2(input, 0);
    ::close(input);
  }
  CHECK(count == 1 && fixture.row(0).fd_count == 1 && received > 2 && is_free);
  ::close(received);
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
    CHECK((fixture.row(0).fault & 0xff) == 1 && fixture.row(0).fd_count == 0 && corrupt.is_closed());
    fixture.sockets.send(message_bytes({.type = 9, .unix_fds = 1}), std::span(&unknown.ends[1], 1));
    unknown.close_writer();
    CHECK(fixture.read() == 0 && !fixture.reader.end() && unknown.is_closed());
    fixture.sockets.send(signal_bytes("u", Bytes().u32(1)), std::span(&surplus.ends[1], 1));
    surplus.close_writer();
    CHECK(fixture.read() == 0 && fixture.is_broken());
  }
  CHECK(surplus.is_closed());
}

TEST("more descriptors than any message may have end the connection") {
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
