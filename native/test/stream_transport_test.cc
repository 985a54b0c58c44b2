// The stream transport whose connector is sd-bus: taking over, and how connections end.
#include "transport/stream_transport.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "scripted_peer.h"
#include "socket_fixture.h"
#include "transport/sdbus_transport.h"

using namespace busbar;
using namespace busbar::test;
using transport::Loss;
using transport::Phase;
using transport::Progress;

namespace {

struct Fixture : InboxFixture {
  Fixture() : library(sdbus::Library::open()) {
    if (library == nullptr) return;
    transport.emplace(std::make_unique<transport::SdBusTransport>(library->api(), peer.address()));
  }
  ~Fixture() {
    if (transport) transport->close();
  }

  Progress turn() {
    const transport::Wants wants = transport->wants();
    if (wants.deadline != 0) {
      pollfd watched{wants.fd,
                     static_cast<short>((wants.readable ? POLLIN : 0) | (wants.writable ? POLLOUT : 0)), 0};
      ::poll(&watched, 1, 50);
    }
    begin_batch();
    if (is_open) return transport->process(inbox);
    Progress progress = transport->open();
    is_open = progress.opened;
    return progress;
  }

  bool open() {
    if (transport->start() != 0) return false;
    peer.accept();
    peer.send(std::string_view("DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n"));
    for (int i = 0; i < 100; i++) {
      if (turn().opened) return peer.receive().ends_with("BEGIN\r\n");
    }
    return false;
  }

  // Turns until the connection is lost; counts the messages that came before.
  std::optional<Loss> settle_lost() {
    for (int i = 0; i < 100; i++) {
      const Progress progress = turn();
      received += inbox.count();
      if (progress.lost) return progress.lost;
    }
    return std::nullopt;
  }

  void send(const std::vector<uint8_t>& bytes) { transport->send(bytes, {}, refused); }

  std::unique_ptr<sdbus::Library> library;
  ScriptedPeer peer;
  std::optional<transport::StreamTransport> transport;
  std::vector<transport::Refusal> refused;
  int32_t received = 0;
  bool is_open = false;
};

std::vector<uint8_t> number_bytes(uint32_t number) { return signal_bytes("u", Bytes().u32(number)); }

#define REQUIRE_OPEN(fixture)                                               \
  if ((fixture).library == nullptr) SKIP("no sd-bus library is installed"); \
  REQUIRE((fixture).open())

}  // namespace

TEST("the first byte after the handshake belongs to the messages, in both directions") {
  Fixture fixture;
  REQUIRE_OPEN(fixture);
  CHECK(fixture.transport->can_send_fds() && fixture.transport->phase() == Phase::kOpen);
  const std::vector<uint8_t> sent = number_bytes(1);
  fixture.send(sent);
  CHECK(fixture.peer.receive() == std::string(sent.begin(), sent.end()));
  fixture.peer.send(number_bytes(2));
  fixture.turn();
  REQUIRE(fixture.inbox.count() == 1);
  CHECK(fixture.body(fixture.row(0)) == Bytes().u32(2).bytes);
}

TEST("a missing socket fails in start, and a rejection is lost while authenticating") {
  Fixture fixture;
  if (fixture.library == nullptr) SKIP("no sd-bus library is installed");
  transport::StreamTransport missing(
      std::make_unique<transport::SdBusTransport>(fixture.library->api(), "unix:path=/nonexistent/socket"));
  CHECK(missing.start() == ENOENT);
  REQUIRE(fixture.transport->start() == 0);
  fixture.peer.accept();
  fixture.peer.send("REJECTED EXTERNAL\r\nREJECTED EXTERNAL\r\nERROR\r\n");
  const std::optional<Loss> lost = fixture.settle_lost();
  REQUIRE(lost.has_value());
  CHECK(lost->error == EPERM && lost->phase == Phase::kAuthenticate);
}

TEST("many messages that arrive together are read with one system call") {
  Fixture fixture;
  REQUIRE_OPEN(fixture);
  std::vector<uint8_t> bytes;
  for (uint32_t i = 0; i < 50; i++) {
    const std::vector<uint8_t> one = number_bytes(i);
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  fixture.peer.send(bytes);
  fixture.turn();
  CHECK(fixture.inbox.count() == 50);
}

TEST("a peer that hangs up is a reset, after its last messages") {
  Fixture fixture;
  REQUIRE_OPEN(fixture);
  for (uint32_t i = 0; i < 3; i++) fixture.peer.send(number_bytes(i));
  fixture.peer.hang_up();
  const std::optional<Loss> lost = fixture.settle_lost();
  REQUIRE(lost.has_value());
  CHECK(lost->error == ECONNRESET && lost->phase == Phase::kOpen && lost->detail.empty());
  CHECK(fixture.received == 3);
}

TEST("a send into a broken connection loses it, after what can still be read") {
  Fixture fixture;
  REQUIRE_OPEN(fixture);
  fixture.peer.send(number_bytes(1));
  fixture.peer.hang_up();
  fixture.send(number_bytes(2));
  CHECK(fixture.refused.size() == 1 && fixture.refused[0].error == ENOTCONN);
  CHECK(fixture.transport->wants().deadline == 0);
  const std::optional<Loss> lost = fixture.settle_lost();
  REQUIRE(lost.has_value());
  CHECK(lost->error == ECONNRESET && fixture.received == 1);
}

TEST("a broken header loses the connection and says why") {
  Fixture fixture;
  REQUIRE_OPEN(fixture);
  fixture.peer.send(number_bytes(1));
  fixture.peer.send("this is certainly no message");
  const std::optional<Loss> lost = fixture.settle_lost();
  REQUIRE(lost.has_value());
  CHECK(lost->error == EBADMSG && lost->detail == "the byte order must be l or B (byte 0 of a message)");
  CHECK(fixture.received == 1);
}

TEST("bytes that the peer does not read drain later, and flush gives up after its time") {
  Fixture fixture;
  REQUIRE_OPEN(fixture);
  // Beyond the 8 MiB that sd-bus asks the kernel for.
  Bytes body;
  body.string(std::string(20 << 20, 'x'));
  const std::vector<uint8_t> message = signal_bytes("s", body);
  fixture.send(message);
  CHECK(fixture.transport->pending_bytes() > 0 && fixture.transport->wants().writable);
  const uint64_t before = monotonic_now();
  fixture.transport->flush(30);
  CHECK(monotonic_now() - before >= 25'000 && fixture.transport->pending_bytes() > 0);
  size_t received = 0;
  bool drained = false;
  for (int i = 0; i < 10'000 && !drained; i++) {
    received += fixture.peer.receive().size();
    drained = fixture.turn().drained;
  }
  received += fixture.peer.receive().size();
  CHECK(drained && received == message.size() && fixture.transport->pending_bytes() == 0);
  CHECK(!fixture.transport->wants().writable && !fixture.turn().drained);
}

TEST("a closed transport refuses everything, and may be closed again") {
  Fixture fixture;
  REQUIRE_OPEN(fixture);
  fixture.transport->close();
  fixture.send(number_bytes(1));
  CHECK(fixture.refused.size() == 1 && fixture.refused[0].error == ENOTCONN);
  fixture.transport->flush(10);
  fixture.transport->close();
}

TEST("in a flood of signals reading rests, until a call is sent") {
  if (std::getenv("BUSBAR_TEST_PATIENCE") != nullptr) SKIP("messages do not come fast enough for that here");
  Fixture fixture;
  REQUIRE_OPEN(fixture);
  transport::Wants wants;
  // A machine with other work may take several times to be fast enough.
  for (uint32_t i = 0; i < 100'000 && wants.deadline == kNoDeadline; i++) {
    fixture.peer.send(number_bytes(i));
    fixture.turn();
    wants = fixture.transport->wants();
    if (i % 8 == 0) usleep(1);
  }
  CHECK(!wants.readable && wants.deadline < monotonic_now() + 1000);
  fixture.send(number_bytes(1));
  CHECK(!fixture.transport->wants().readable);
  fixture.send(message_bytes({.serial = 7, .path = "/", .member = "Ping"}));
  wants = fixture.transport->wants();
  CHECK(wants.readable && wants.deadline == kNoDeadline);
}
