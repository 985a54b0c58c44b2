// How the sd-bus transport sends: refusals, queues and losses.
#include <cerrno>

#include "transport_fixture.h"

using namespace busbar;
using namespace busbar::test;

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

TEST("a message is sent with the serial that it was given, and a refusal affects one message of several") {
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
  CHECK(refused.size() == 1 && refused[0].serial == 11 && refused[0].error == EILSEQ);
  CHECK(fixture.transport->pending_bytes() == 0);
  const std::string sent = fixture.peer.receive();
  const std::span<const uint8_t> received(reinterpret_cast<const uint8_t*>(sent.data()), sent.size());
  wire::Header first, second;
  REQUIRE(wire::read_header(received, first).is_sound());
  REQUIRE(wire::read_header(received.subspan(first.message_length()), second).is_sound());
  CHECK(first.serial == 10 && second.serial == 12);
  CHECK(first.message_length() + second.message_length() == sent.size());
}

TEST("a refused reply names the caller that waits for it") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  MessageFields fields{.type = 2, .serial = 20, .reply_serial = 7};
  fields.destination = ":1.5";
  fields.signature = "s";
  std::vector<transport::Refusal> refused;
  fixture.transport->send(message_bytes(fields, Bytes().string("\xef\xbf\xbe")), {}, refused);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].serial == 20 && refused[0].error == EILSEQ);
  CHECK(refused[0].reply_serial == 7 && refused[0].destination == ":1.5");
}

TEST("bytes that are not a message are refused without harm") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  std::vector<transport::Refusal> refused;
  fixture.transport->send(std::vector<uint8_t>(100, 0xee), {}, refused);
  CHECK(refused.size() == 1 && refused[0].error == EBADMSG);
}

TEST("bytes that the peer does not read are counted, and their end is reported") {
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

TEST(
    "many small messages wait in order, a refusal costs one of them, and sd-bus has a few hundred at a "
    "time") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  fixture.peer.receive();
  std::vector<transport::Refusal> refused;
  constexpr uint32_t kCount = 300000, kRefused = 250000;
  for (uint32_t serial = 1; serial <= kCount; serial++) {
    MessageFields fields = signal_fields("s");
    fields.serial = serial;
    // sd-bus refuses noncharacters.
    const Bytes body = Bytes().string(serial == kRefused ? "\xef\xbf\xbe" : "ok");
    fixture.transport->send(message_bytes(fields, body), {}, refused);
  }
  CHECK(refused.empty());
  std::string received;
  std::vector<transport::Refusal> later;
  bool drained = false;
  uint32_t expected = 1;
  for (int i = 0; i < 100000 && !drained; i++) {
    const Progress progress = fixture.turn(1);
    later.insert(later.end(), progress.refused.begin(), progress.refused.end());
    drained = progress.drained;
    received += fixture.peer.receive();
    size_t offset = 0;
    wire::Header header;
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(received.data()), received.size());
    while (wire::read_header(bytes.subspan(offset), header).is_sound() &&
           header.message_length() <= bytes.size() - offset) {
      if (expected == kRefused) expected++;
      REQUIRE(header.serial == expected);
      expected++;
      offset += header.message_length();
    }
    received.erase(0, offset);
  }
  CHECK(drained && expected == kCount + 1 && received.empty());
  CHECK(later.size() == 1 && later[0].serial == kRefused && later[0].error == EILSEQ);
}

TEST("writing for an owner that does not want to read keeps what arrives, up to a bound of bytes") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  Bytes body;
  body.u32(1 << 20).raw(std::string(1 << 20, 'x'));
  const std::vector<uint8_t> large = message_bytes(signal_fields("ay"), body);
  std::vector<transport::Refusal> refused;
  for (size_t i = 0; i < 64; i++) fixture.transport->send(large, {}, refused);
  REQUIRE(refused.empty() && fixture.transport->pending_bytes() > 0);
  // The other side writes as fast as it reads, so that each step of sd-bus may bring a message.
  const std::vector<uint8_t> small = message_bytes(signal_fields("u"), Bytes().u32(5));
  for (int i = 0; i < 2000 && fixture.transport->pending_bytes() > 0; i++) {
    fixture.peer.send(small);
    fixture.peer.receive();
    fixture.transport->write();
  }
  CHECK(fixture.transport->pending_bytes() == 0);
  CHECK(fixture.receive().has_value());
}

TEST("flush gives up after its time, and keeps what arrived") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  Bytes body;
  body.u32(32 << 20).raw(std::string(32 << 20, 'x'));
  std::vector<transport::Refusal> refused;
  fixture.transport->send(message_bytes(signal_fields("ay"), body), {}, refused);
  const uint64_t before = monotonic_now();
  fixture.transport->flush(30);
  const uint64_t waited = monotonic_now() - before;
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
