// How the sd-bus transport connects, and how connections end.
#include <cerrno>

#include "transport_fixture.h"

using namespace busbar;
using namespace busbar::test;

TEST("the handshake is EXTERNAL with descriptors, and nothing is sent after it") {
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
  // Port 1 of the loopback device: there is no listener.
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

TEST("bytes that are not a message end the connection") {
  Fixture fixture;
  REQUIRE_LIBRARY(fixture);
  REQUIRE(fixture.open());
  fixture.peer.send("this is certainly no message, but long enough to be taken for one");
  const std::optional<Loss> lost = fixture.settle_lost();
  REQUIRE(lost.has_value());
  CHECK(lost->error == EBADMSG && lost->phase == Phase::kOpen);
}
