// How the sd-bus transport receives: framing, corrupt bodies, descriptors and batches.
#include <fcntl.h>

#include "transport_fixture.h"

using namespace busbar;
using namespace busbar::test;

namespace {

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
  // Of a string sd-bus does not say what is wrong: it may be a noncharacter, which is valid.
  CHECK(fault_of("s", Bytes().u32(100).raw("abc")) == 2);
  CHECK(fault_of("s", Bytes().u32(1).raw("ab")) == 2);
  CHECK(fault_of("s", Bytes().string("\xff")) == 2);
  CHECK(fault_of("s", Bytes().string(std::string_view("a\0b", 3))) == 2);
  CHECK(fault_of("s", Bytes().string("\xef\xbf\xbf")) == 2);
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

TEST("values that sd-bus accepts are corrected: a boolean of 2, and bytes after the body") {
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

TEST("a Ping is handed out as any call, and not answered by sd-bus") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  fixture.peer.receive();
  fixture.peer.send(message_bytes(
      {.type = 1, .serial = 4, .path = "/", .interface = "org.freedesktop.DBus.Peer", .member = "Ping"}));
  const std::optional<Row> row = fixture.receive();
  REQUIRE(row.has_value());
  CHECK(row->type == 1 && row->serial == 4);
  CHECK(fixture.peer.receive().empty());
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
