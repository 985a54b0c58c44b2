// The transport against a peer that the test plays: no bus, no Node.js, no event loop.
#include "transport/sdbus_transport.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <optional>

#include "check.h"
#include "message_bytes.h"
#include "scripted_peer.h"

using namespace busbar;
using busbar::test::Bytes;
using busbar::test::message_bytes;
using busbar::test::MessageFields;
using busbar::test::ScriptedPeer;
using transport::Loss;
using transport::Phase;
using transport::Progress;
using transport::Row;

namespace {

constexpr const char* kAgree = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n";

// A transport, its inbox, and the peer it is connected to.
struct Fixture {
  Fixture()
      : arena(65536),
        rows(64 * transport::kRowLength),
        strings(512 * 3),
        fds(64),
        inbox({arena, rows, strings, fds}) {
    library = sdbus::Library::open();
    if (library != nullptr) transport.emplace(library->api(), peer.address());
  }
  ~Fixture() {
    if (transport) transport->close();
  }

  // What a loop would do: waits for what the transport wants, for a moment, and lets it work.
  Progress turn(int milliseconds = 50) {
    const transport::Wants wants = transport->wants();
    if (wants.deadline != 0) {
      pollfd watched{wants.fd,
                     static_cast<short>((wants.readable ? POLLIN : 0) | (wants.writable ? POLLOUT : 0)), 0};
      ::poll(&watched, 1, milliseconds);
    }
    inbox.clear();
    return transport->process(inbox);
  }

  // Turns until the connection is open or lost.
  Progress settle() {
    for (int i = 0; i < 100; i++) {
      const Progress progress = turn();
      if (progress.opened || progress.lost) return progress;
    }
    return {};
  }

  std::optional<Loss> settle_lost() {
    for (int i = 0; i < 100; i++) {
      const Progress progress = turn();
      if (progress.lost) return progress.lost;
    }
    return std::nullopt;
  }

  bool open(const char* answer = kAgree) {
    if (transport->start() != 0) return false;
    peer.accept();
    peer.send(std::string_view(answer));
    return settle().opened;
  }

  // Turns until messages have come, and returns the first one's row.
  std::optional<Row> receive() {
    for (int i = 0; i < 100; i++) {
      turn();
      if (inbox.count() > 0) return row(0);
    }
    return std::nullopt;
  }

  Row row(size_t index) const {
    Row row;
    memcpy(static_cast<void*>(&row), rows.data() + index * transport::kRowLength, sizeof row);
    return row;
  }

  std::vector<uint8_t> body(const Row& row) const {
    const auto begin = arena.begin() + row.body_offset;
    return std::vector<uint8_t>(begin, begin + row.body_length);
  }

  std::unique_ptr<sdbus::Library> library;
  ScriptedPeer peer;
  std::vector<uint8_t> arena;
  std::vector<int32_t> rows, strings, fds;
  transport::Inbox inbox;
  std::optional<transport::SdBusTransport> transport;
};

#define REQUIRE_LIBRARY(fixture) \
  if ((fixture).library == nullptr) SKIP("no sd-bus library is installed")

MessageFields signal_fields(std::string_view signature, bool big = false) {
  return {.type = 4,
          .serial = 3,
          .path = "/a",
          .interface = "a.b",
          .member = "C",
          .signature = signature,
          .big = big};
}

// The fault of a signal with this body, which must not cost more than itself.
int32_t fault_of(std::string_view signature, const Bytes& body) {
  Fixture fixture;
  if (fixture.library == nullptr) return 1;
  if (!fixture.open()) return -1;
  fixture.peer.send(message_bytes(signal_fields(signature), body));
  const std::optional<Row> row = fixture.receive();
  if (!row || row->body_length != 0 || row->fd_count != 0) return -2;
  fixture.peer.send(message_bytes(signal_fields("u"), Bytes().u32(5)));
  const std::optional<Row> next = fixture.receive();
  if (!next || next->fault != 0) return -3;
  return row->fault;
}

}  // namespace

TEST("the handshake is EXTERNAL with descriptors, and nothing is said after it") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.transport->start() == 0);
  CHECK(fixture.transport->phase() == Phase::kAuthenticate);
  fixture.peer.accept();
  fixture.turn();
  const std::string sent = fixture.peer.receive();
  CHECK(sent.substr(0, 15) == std::string_view("\0AUTH EXTERNAL\r", 15));
  CHECK(sent.find("NEGOTIATE_UNIX_FD\r\n") != std::string::npos && sent.ends_with("BEGIN\r\n"));
  fixture.peer.send(std::string_view(kAgree));
  CHECK(fixture.settle().opened);
  CHECK(fixture.transport->can_send_fds() && fixture.transport->phase() == Phase::kOpen);
  CHECK(fixture.peer.receive().empty());
}

TEST("a peer that refuses descriptors can be talked to without") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open("DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nERROR\r\n"));
  CHECK(!fixture.transport->can_send_fds());
  MessageFields fields = signal_fields("h");
  fields.unix_fds = 1;
  std::vector<transport::Refusal> refused;
  const int32_t sent[] = {0};
  fixture.transport->send(message_bytes(fields, Bytes().u32(0)), sent, refused);
  CHECK(refused.size() == 1 && refused[0].serial == 3 && refused[0].error == EOPNOTSUPP);
  refused.clear();
  fixture.transport->send(message_bytes(signal_fields("u"), Bytes().u32(1)), {}, refused);
  CHECK(refused.empty());
}

TEST("a missing socket fails in start") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  transport::SdBusTransport transport(fixture.library->api(), "unix:path=/nonexistent/socket");
  CHECK(transport.start() == ENOENT);
}

TEST("an address of an unknown kind fails in start") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  transport::SdBusTransport transport(fixture.library->api(), "nonsense");
  CHECK(transport.start() == ECONNREFUSED);
}

TEST("a refused TCP connection is lost in the phase of connecting, with its errno") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  // Port 1 of the loopback device: nobody listens.
  fixture.transport.emplace(fixture.library->api(), "tcp:host=127.0.0.1,port=1");
  const int error = fixture.transport->start();
  if (error != 0) {
    CHECK(error == ECONNREFUSED);
    return;
  }
  const std::optional<Loss> lost = fixture.settle_lost();
  REQUIRE(lost.has_value());
  CHECK(lost->error == ECONNREFUSED && lost->phase == Phase::kConnect);
}

TEST("a rejection is lost in the phase of authenticating") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.transport->start() == 0);
  fixture.peer.accept();
  fixture.peer.send("REJECTED EXTERNAL\r\nREJECTED EXTERNAL\r\nERROR\r\n");
  const std::optional<Loss> lost = fixture.settle_lost();
  REQUIRE(lost.has_value());
  CHECK(lost->error == EPERM && lost->phase == Phase::kAuthenticate);
}

TEST("a peer that hangs up while authenticating is lost in that phase") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.transport->start() == 0);
  fixture.peer.accept();
  fixture.peer.receive();
  fixture.peer.hang_up();
  const std::optional<Loss> lost = fixture.settle_lost();
  REQUIRE(lost.has_value());
  CHECK(lost->phase == Phase::kAuthenticate && lost->error == ECONNRESET);
}

TEST("a peer that hangs up is a reset, after its last messages") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  for (int i = 0; i < 3; i++) fixture.peer.send(message_bytes(signal_fields("u"), Bytes().u32(1)));
  fixture.peer.hang_up();
  int received = 0;
  std::optional<Loss> lost;
  for (int i = 0; i < 100 && !lost; i++) {
    lost = fixture.turn().lost;
    received += fixture.inbox.count();
  }
  REQUIRE(lost.has_value());
  CHECK(received == 3 && lost->error == ECONNRESET && lost->phase == Phase::kOpen);
}

TEST("bytes that are no message end the connection") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  fixture.peer.send("this is certainly no message, but long enough to be taken for one");
  const std::optional<Loss> lost = fixture.settle_lost();
  REQUIRE(lost.has_value());
  CHECK(lost->error == EBADMSG && lost->phase == Phase::kOpen);
}

TEST("a message that comes byte by byte arrives whole") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  const Bytes body = Bytes().string("text");
  for (const uint8_t byte : message_bytes(signal_fields("s"), body)) {
    CHECK(fixture.inbox.count() == 0);
    fixture.peer.send(std::span(&byte, 1));
    fixture.turn();
  }
  REQUIRE(fixture.inbox.count() == 1);
  CHECK(fixture.body(fixture.row(0)) == body.bytes);
}

TEST("a big-endian message arrives as little-endian bytes") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  const auto body = [](bool big) {
    Bytes bytes(big), element(big);
    bytes.u16(1).u32(2).u64(3).f64(4.5).string("s").u32(8).u32(1).u32(2);
    // a{sv} with a variant of ai.
    element.align(8).string("key").signature("ai").u32(4).u32(7);
    return bytes.u32(static_cast<uint32_t>(element.bytes.size())).align(8).add(element).u32(4).u32(1);
  };
  fixture.peer.send(message_bytes(signal_fields("qutdsaua{sv}ab", true), body(true)));
  const std::optional<Row> row = fixture.receive();
  REQUIRE(row.has_value());
  CHECK(row->fault == 0 && fixture.body(*row) == body(false).bytes);
}

TEST("a corrupt body costs its message only") {
  CHECK(fault_of("s", Bytes().u32(100).raw("abc")) == 1);
  CHECK(fault_of("s", Bytes().u32(1).raw("ab")) == 1);
  CHECK(fault_of("s", Bytes().string("\xff")) == 1);
  CHECK(fault_of("s", Bytes().string(std::string_view("a\0b", 3))) == 1);
  CHECK(fault_of("o", Bytes().string("no path")) == 1);
  CHECK(fault_of("g", Bytes().signature("a")) == 1);
  CHECK(fault_of("yu", Bytes().u8(1).align(4, 1).u32(1)) == 1);
  CHECK(fault_of("au", Bytes().u32(5).u32(1).u8(1)) == 1);
  CHECK(fault_of("as", Bytes().u32(0xfffffff0).u32(1)) == 1);
  CHECK(fault_of("a(u)", Bytes().u32(5).align(8).u64(1)) == 1);
  CHECK(fault_of("a(uu)", Bytes().u32(12).align(8).u64(1).u64(2)) == 1);
  CHECK(fault_of("a{ys}", Bytes().u32(2).align(8).u8(1).string("a")) == 1);
  CHECK(fault_of("ab", Bytes().u32(6).u32(1).u32(1)) == 1);
  CHECK(fault_of("v", Bytes().signature("uu").u32(1).u32(2)) == 1);
  CHECK(fault_of("h", Bytes().u32(0)) == 1);
}

TEST("what sd-bus lets pass arrives sound: a boolean of 2, and bytes behind the body") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  fixture.peer.send(message_bytes(signal_fields("bu"), Bytes().u32(2).u32(7).u8(9)));
  const std::optional<Row> row = fixture.receive();
  REQUIRE(row.has_value());
  CHECK(row->fault == 0 && fixture.body(*row) == Bytes().u32(1).u32(7).bytes);
}

TEST("bodies deeper than 64 containers are corrupt") {
  Bytes body;
  for (int i = 0; i < 64; i++) body.signature("v");
  CHECK(fault_of("v", body.signature("y").u8(1)) == 1);
}

TEST("descriptors of a corrupt message are closed") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  int pipe_fds[2];
  REQUIRE(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) == 0);
  MessageFields fields = signal_fields("ho");
  fields.unix_fds = 1;
  fixture.peer.send_with_fd(message_bytes(fields, Bytes().u32(0).string("no path")), pipe_fds[1]);
  close(pipe_fds[1]);
  const std::optional<Row> row = fixture.receive();
  REQUIRE(row.has_value());
  CHECK(row->fault == 1 && row->fd_count == 0);
  char byte;
  // The end of the stream shows that no writing end is left.
  CHECK(read(pipe_fds[0], &byte, 1) == 0);
  close(pipe_fds[0]);
}

TEST("a descriptor arrives, and works") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  int pipe_fds[2];
  REQUIRE(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) == 0);
  MessageFields fields = signal_fields("hh");
  fields.unix_fds = 1;
  fixture.peer.send_with_fd(message_bytes(fields, Bytes().u32(0).u32(0)), pipe_fds[1]);
  close(pipe_fds[1]);
  const std::optional<Row> row = fixture.receive();
  REQUIRE(row.has_value() && row->fd_count == 1);
  CHECK(fixture.body(*row) == Bytes().u32(0).u32(0).bytes);
  char byte = 'x';
  CHECK(write(fixture.fds[0], &byte, 1) == 1 && read(pipe_fds[0], &byte, 1) == 1);
  fixture.inbox.close_fds(0);
  close(pipe_fds[0]);
}

TEST("messages of unknown type are ignored") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  MessageFields fields = signal_fields("");
  fields.type = 9;
  fixture.peer.send(message_bytes(fields));
  fixture.peer.send(message_bytes(signal_fields("u"), Bytes().u32(5)));
  const std::optional<Row> row = fixture.receive();
  REQUIRE(row.has_value());
  CHECK(row->type == 4 && fixture.inbox.count() == 1);
}

TEST("a flood comes in batches, in order and complete") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  uint32_t received = 0;
  for (uint32_t sent = 0; sent < 500;) {
    for (int i = 0; i < 100; i++) fixture.peer.send(message_bytes(signal_fields("u"), Bytes().u32(sent++)));
    for (int i = 0; i < 100 && received < sent; i++) {
      fixture.turn();
      for (size_t j = 0; j < static_cast<size_t>(fixture.inbox.count()); j++) {
        CHECK(fixture.body(fixture.row(j)) == Bytes().u32(received).bytes);
        received++;
      }
    }
  }
  CHECK(received == 500);
}

TEST("what is sent has the serial it was given, and a refusal costs one message of several") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  fixture.peer.receive();
  Bytes bytes;
  for (const uint32_t serial : {10u, 11u, 12u}) {
    MessageFields fields = signal_fields("s");
    fields.serial = serial;
    // The second one is a noncharacter, which sd-bus refuses.
    const Bytes body = Bytes().string(serial == 11 ? "\xef\xbf\xbe" : "ok");
    bytes.align(8).raw({reinterpret_cast<const char*>(message_bytes(fields, body).data()),
                        message_bytes(fields, body).size()});
  }
  std::vector<transport::Refusal> refused;
  fixture.transport->send(bytes.bytes, {}, refused);
  CHECK(refused.size() == 1 && refused[0].serial == 11 && refused[0].error == EINVAL);
  CHECK(fixture.transport->pending_bytes() == 0);
  const std::string sent = fixture.peer.receive();
  const std::span<const uint8_t> received(reinterpret_cast<const uint8_t*>(sent.data()), sent.size());
  wire::Header first, second;
  REQUIRE(wire::read_header(received, first) == wire::HeaderFault::kNone);
  REQUIRE(wire::read_header(received.subspan(first.message_length()), second) == wire::HeaderFault::kNone);
  CHECK(first.serial == 10 && second.serial == 12);
  CHECK(first.message_length() + second.message_length() == sent.size());
}

TEST("bytes that are no message are refused without harm") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  std::vector<transport::Refusal> refused;
  fixture.transport->send(std::vector<uint8_t>(100, 0xee), {}, refused);
  CHECK(refused.size() == 1 && refused[0].error == EBADMSG);
}

TEST("what the peer does not take is counted, and its end reported") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  Bytes body;
  body.u32(1 << 20).raw(std::string(1 << 20, 'x'));
  const std::vector<uint8_t> message = message_bytes(signal_fields("ay"), body);
  std::vector<transport::Refusal> refused;
  // sd-bus asks for a socket buffer of 8 MiB, and gets it where it may.
  constexpr size_t kCount = 24;
  for (size_t i = 0; i < kCount; i++) fixture.transport->send(message, {}, refused);
  CHECK(refused.empty());
  CHECK(fixture.transport->pending_bytes() > 0 &&
        fixture.transport->pending_bytes() <= kCount * message.size());
  CHECK(fixture.transport->wants().writable);
  size_t received = 0;
  bool drained = false;
  for (int i = 0; i < 10000 && !drained; i++) {
    received += fixture.peer.receive().size();
    drained = fixture.turn(1).drained;
  }
  received += fixture.peer.receive().size();
  CHECK(drained && fixture.transport->pending_bytes() == 0 && !fixture.transport->wants().writable);
  CHECK(received >= kCount * message.size());
  CHECK(!fixture.turn(1).drained);
}

TEST("flush gives up after its time, and keeps what arrived") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  Bytes body;
  body.u32(32 << 20).raw(std::string(32 << 20, 'x'));
  std::vector<transport::Refusal> refused;
  fixture.transport->send(message_bytes(signal_fields("ay"), body), {}, refused);
  const uint64_t before = transport::monotonic_now();
  fixture.transport->flush(30);
  const uint64_t waited = transport::monotonic_now() - before;
  CHECK(waited >= 25000 && waited < 5000000);
  CHECK(fixture.transport->pending_bytes() > 0);
  fixture.peer.send(message_bytes(signal_fields("u"), Bytes().u32(5)));
  // Makes room, so that sd-bus writes a part and then reads.
  fixture.peer.receive();
  fixture.transport->flush(30);
  CHECK(fixture.receive().has_value());
}

TEST("after the connection is lost every message is refused, and nothing crashes") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  fixture.peer.hang_up();
  REQUIRE(fixture.settle_lost().has_value());
  std::vector<transport::Refusal> refused;
  const std::vector<uint8_t> message = message_bytes(signal_fields("u"), Bytes().u32(5));
  for (int i = 0; i < 3; i++) fixture.transport->send(message, {}, refused);
  CHECK(refused.size() == 3 && refused[0].error == ENOTCONN);
  fixture.transport->close();
  fixture.transport->send(message, {}, refused);
  CHECK(refused.size() == 4 && refused[3].error == ENOTCONN);
  fixture.transport->flush(10);
  fixture.transport->close();
}

TEST("a send into a broken connection leads to its loss") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  fixture.peer.hang_up();
  std::vector<transport::Refusal> refused;
  fixture.transport->send(message_bytes(signal_fields("u"), Bytes().u32(5)), {}, refused);
  CHECK(refused.size() == 1 && refused[0].error == ENOTCONN);
  CHECK(fixture.transport->wants().deadline == 0);
  const std::optional<Loss> lost = fixture.settle_lost();
  REQUIRE(lost.has_value());
  CHECK(lost->error == ECONNRESET && lost->phase == Phase::kOpen);
}
