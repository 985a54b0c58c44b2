// The stream transport whose connector is the handshake: both roles of it on real sockets, what comes right
// behind it, and how it fails.
#include "transport/handshake.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <optional>

#include "scripted_peer.h"
#include "socket_fixture.h"
#include "transport/stream_transport.h"

using namespace busbar;
using namespace busbar::test;
using namespace std::string_literals;
using transport::Endpoint;
using transport::Handshake;
using transport::Loss;
using transport::Phase;
using transport::Progress;
using transport::StreamTransport;

namespace {

const std::string kBegin = "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"s;
const std::string kOk = "OK 2a000000000000000000000000000000\r\n";

// A transport, and what a loop would do with it.
struct Fixture : InboxFixture {
  explicit Fixture(Endpoint endpoint) : transport(std::make_unique<Handshake>(std::move(endpoint))) {}
  ~Fixture() { transport.close(); }

  Progress turn(int milliseconds = 50) {
    const transport::Wants wants = transport.wants();
    const uint64_t now = monotonic_now();
    if (wants.deadline > now) {
      const int events = (wants.readable ? POLLIN : 0) | (wants.writable ? POLLOUT : 0);
      // As in libuv: a descriptor without requested events is not polled.
      pollfd watched{events == 0 ? -1 : wants.fd, static_cast<short>(events), 0};
      ::poll(&watched, 1, wants.deadline == kNoDeadline ? milliseconds : 5);
    }
    begin_batch();
    if (is_open) return transport.process(inbox);
    Progress progress = transport.open();
    is_open = progress.opened;
    return progress;
  }

  bool settle_opened() {
    for (int i = 0; i < 100; i++) {
      const Progress progress = turn();
      if (progress.opened || progress.lost) return progress.opened;
    }
    return false;
  }

  std::optional<Loss> settle_lost() {
    for (int i = 0; i < 100; i++) {
      const Progress progress = turn();
      received += inbox.count();
      if (progress.lost) return progress.lost;
    }
    return std::nullopt;
  }

  // Turns until messages have come.
  bool receive() {
    for (int i = 0; i < 100 && inbox.count() == 0; i++) turn();
    return inbox.count() > 0;
  }

  bool is_lost_by(int error, Phase phase, std::string_view detail = {}) {
    const std::optional<Loss> lost = settle_lost();
    return lost && lost->error == error && lost->phase == phase && lost->detail == detail;
  }

  StreamTransport transport;
  int32_t received = 0;
  bool is_open = false;
};

Endpoint served(int socket, bool anonymous = false) {
  return {.socket = UniqueFd(socket), .guid = wire::Guid{42}, .anonymous = anonymous};
}

// The server's end of a socket pair; the test is the client.
struct Served : Fixture {
  explicit Served(bool anonymous = false) : Served(SocketPair(), anonymous) {}
  Served(SocketPair pair, bool anonymous) : Fixture(served(std::exchange(pair.ours, -1), anonymous)) {
    client.theirs = std::exchange(pair.theirs, -1);
    CHECK(transport.start() == 0);
  }

  void say(std::string_view text, std::span<const int> descriptors = {}) {
    client.send({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, descriptors);
  }
  std::string heard() {
    const std::vector<uint8_t> bytes = client.receive();
    return {bytes.begin(), bytes.end()};
  }

  struct Client : SocketPair {
    Client() {
      ::close(ours);
      ::close(theirs);
      ours = theirs = -1;
    }
  } client;
};

// The client's end of a connection to a scripted peer.
struct Connecting {
  explicit Connecting(bool anonymous = false, bool is_bus = false) : fixture(endpoint(anonymous, is_bus)) {}

  Endpoint endpoint(bool anonymous, bool is_bus = false) const {
    Endpoint made{.guid = wire::Guid{42}, .is_bus = is_bus, .anonymous = anonymous};
    CHECK(made.target.set_unix('\0' + peer.address().substr(sizeof "unix:abstract=" - 1)) == 0);
    return made;
  }
  // Connects, hears something, and answers it.
  void hear(std::string_view text) {
    CHECK(fixture.transport.start() == 0);
    peer.accept();
    peer.send(text);
  }

  ScriptedPeer peer;
  Fixture fixture;
};

std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }
std::string number_text(uint32_t number) { return text_of(signal_bytes("u", Bytes().u32(number))); }
std::string descriptor_text() { return text_of(signal_bytes("h", Bytes().u32(0), 3, 1)); }

// A descriptor that can be told from others, and whether another is the same.
struct Pipe {
  Pipe() { CHECK(pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  bool is_written_by(int fd) const {
    char byte = 0;
    return write(fd, "x", 1) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'x';
  }
  int ends[2] = {-1, -1};
};

}  // namespace

TEST("a client that says everything at once is answered, and its messages are kept until it is let in") {
  Served served;
  served.say(kBegin + number_text(1) + number_text(2));
  const Progress progress = served.turn();
  CHECK(progress.opened && !progress.lost && served.inbox.count() == 0);
  CHECK(served.heard() == "DATA\r\n" + kOk + "AGREE_UNIX_FD\r\n");
  CHECK(served.transport.can_send_fds() && served.transport.phase() == Phase::kOpen);
  CHECK(served.transport.wants().deadline == 0);
  served.turn();
  REQUIRE(served.inbox.count() == 2);
  CHECK(served.body(served.row(0)) == Bytes().u32(1).bytes &&
        served.body(served.row(1)) == Bytes().u32(2).bytes);
  CHECK(served.transport.wants().deadline == kNoDeadline);
}

TEST("a client that says one byte at a time is understood, its first message included") {
  Served served;
  bool opened = false;
  for (const char byte : kBegin + number_text(1)) {
    served.say({&byte, 1});
    opened |= served.turn().opened;
  }
  CHECK(opened);
  REQUIRE(served.receive());
  CHECK(served.body(served.row(0)) == Bytes().u32(1).bytes);
}

TEST("descriptors that come together with the end of the handshake belong to the first message") {
  for (const bool apart : {false, true}) {
    Served served;
    Pipe pipe;
    if (apart) served.say(kBegin);
    served.say((apart ? "" : kBegin) + descriptor_text(), {&pipe.ends[1], 1});
    REQUIRE(served.settle_opened());
    REQUIRE(served.receive());
    CHECK(served.row(0).fd_count == 1 && pipe.is_written_by(served.fds[0]));
    ::close(served.fds[0]);
  }
}

TEST("a server's first message and its descriptors reach a client that reads them with the handshake") {
  for (const bool apart : {false, true}) {
    Connecting connecting;
    Pipe pipe;
    const std::string answer = kOk + "AGREE_UNIX_FD\r\n", message = descriptor_text();
    connecting.hear(apart ? answer : "");
    const std::string together = (apart ? "" : answer) + message;
    connecting.peer.send_with_fd({reinterpret_cast<const uint8_t*>(together.data()), together.size()},
                                 pipe.ends[1]);
    Fixture& fixture = connecting.fixture;
    REQUIRE(fixture.settle_opened());
    REQUIRE(fixture.receive());
    CHECK(fixture.row(0).fd_count == 1 && pipe.is_written_by(fixture.fds[0]));
    ::close(fixture.fds[0]);
  }
}

TEST("descriptors that come with the handshake itself lose the connection, and are closed") {
  Served served;
  Pipe pipe;
  served.say("\0AUTH EXTERNAL\r\n"s, {&pipe.ends[1], 1});
  CHECK(
      served.is_lost_by(EBADMSG, Phase::kAuthenticate, "descriptors must not come before the first message"));
  served.transport.close();
  // This is the last writing end.
  ::close(std::exchange(pipe.ends[1], -1));
  fcntl(pipe.ends[0], F_SETFL, O_NONBLOCK);
  char byte = 0;
  CHECK(read(pipe.ends[0], &byte, 1) == 0);
}

TEST("a client connects, authenticates, and sends the first message itself") {
  Connecting connecting;
  Fixture& fixture = connecting.fixture;
  CHECK(fixture.transport.phase() == Phase::kConnect);
  connecting.hear("");
  CHECK(fixture.transport.phase() == Phase::kAuthenticate && !fixture.transport.can_send_fds());
  fixture.turn(1);
  CHECK(connecting.peer.receive().starts_with("\0AUTH EXTERNAL "s));
  connecting.peer.send(std::string_view(kOk));
  fixture.turn();
  CHECK(connecting.peer.receive() == "NEGOTIATE_UNIX_FD\r\nBEGIN\r\n");
  connecting.peer.send(std::string_view("AGREE_UNIX_FD\r\n"));
  REQUIRE(fixture.settle_opened());
  CHECK(fixture.transport.can_send_fds() && connecting.peer.receive().empty());
  std::vector<transport::Refusal> refused;
  const std::vector<uint8_t> message = signal_bytes("u", Bytes().u32(1));
  fixture.transport.send(message, {}, refused);
  CHECK(refused.empty() && connecting.peer.receive() == text_of(message));
}

TEST("a client that is turned away is lost in the phase of authenticating") {
  Connecting connecting;
  connecting.hear("REJECTED EXTERNAL\r\nREJECTED EXTERNAL\r\n");
  // With what it could authenticate by.
  CHECK(connecting.fixture.is_lost_by(EACCES, Phase::kAuthenticate, "EXTERNAL"));
  CHECK(connecting.peer.receive().ends_with("\r\nAUTH EXTERNAL\r\n"));
}

TEST("an anonymous client claims no user id") {
  Connecting connecting(true);
  connecting.hear("REJECTED EXTERNAL\r\n");
  CHECK(connecting.fixture.is_lost_by(EACCES, Phase::kAuthenticate, "EXTERNAL"));
  CHECK(connecting.peer.receive() == "\0AUTH ANONYMOUS 627573626172\r\n"s);
}

TEST("a server that is another than the address says is refused") {
  Connecting connecting;
  connecting.hear("OK 2b000000000000000000000000000000\r\n");
  CHECK(connecting.fixture.is_lost_by(EPERM, Phase::kAuthenticate,
                                      "the server does not have the GUID that the address requires; it said "
                                      "\"OK 2b000000000000000000000000000000\""));
}

TEST("the connection is lost after answers that do not belong to a handshake, and the reason is reported") {
  Connecting connecting;
  connecting.hear("HTTP/1.1 400 Bad Request\n");
  CHECK(connecting.fixture.is_lost_by(EBADMSG, Phase::kAuthenticate,
                                      "the handshake must be lines of printable ASCII that end with CR LF; "
                                      "it said \"HTTP/1.1 400 Bad Request\""));
}

TEST("a client of a bus says no user id unless it is asked for one") {
  Connecting connecting(false, true);
  connecting.hear("");
  connecting.fixture.turn(1);
  CHECK(connecting.peer.receive() == "\0AUTH EXTERNAL\r\n"s);
  connecting.peer.send(std::string_view("DATA\r\n"));
  connecting.fixture.turn();
  CHECK(connecting.peer.receive() == "DATA\r\n");
  connecting.peer.send(std::string_view(kOk));
  connecting.fixture.turn();
  CHECK(connecting.peer.receive() == "NEGOTIATE_UNIX_FD\r\n");
  connecting.peer.send(std::string_view("AGREE_UNIX_FD\r\n"));
  REQUIRE(connecting.fixture.settle_opened());
  CHECK(connecting.peer.receive() == "BEGIN\r\n" && connecting.fixture.transport.can_send_fds());
}

TEST("clients that do not authenticate lose the connection, and are rejected if the protocol allows it") {
  struct Case {
    std::string said;
    const char* detail;
    std::string heard;
  };
  std::string attempts = "\0"s, rejections;
  for (int i = 0; i < 100; i++) attempts += "AUTH EXTERNAL 39393939\r\n";
  for (int i = 0; i < 6; i++) rejections += "REJECTED EXTERNAL\r\n";
  for (const Case& each : {
           Case{"AUTH EXTERNAL\r\n", "the first byte of a client must be NUL", ""},
           Case{"\0"s + std::string(size_t{20} * 1024, 'A'), "a line of the handshake must not exceed 16 KiB",
                ""},
           Case{attempts, "a client must authenticate within six attempts", rejections},
           Case{"\0BEGIN\r\n"s, "BEGIN must not come before OK", ""},
           Case{"\0\x80\x81\xff"s, "the handshake must be lines of printable ASCII that end with CR LF", ""},
       }) {
    Served served;
    served.say(each.said);
    CHECK(served.is_lost_by(EBADMSG, Phase::kAuthenticate, each.detail));
    CHECK(served.heard() == each.heard);
  }
}

TEST("a client that hangs up anywhere in the handshake is a reset") {
  for (size_t length = 0; length < kBegin.size(); length++) {
    Served served;
    if (length > 0) served.say(kBegin.substr(0, length));
    served.client.hang_up();
    CHECK(served.is_lost_by(ECONNRESET, Phase::kAuthenticate));
  }
}

TEST("a server that hangs up anywhere in the handshake is a reset") {
  const std::string answer = kOk + "AGREE_UNIX_FD\r\n";
  for (size_t length = 0; length < answer.size(); length++) {
    Connecting connecting;
    connecting.hear(answer.substr(0, length));
    // Having read what was said: closing is a reset otherwise, which the kernel reports before what was sent.
    connecting.fixture.turn(1);
    connecting.peer.receive();
    connecting.peer.hang_up();
    std::string said = answer.substr(0, length);
    if (said.size() > kOk.size()) said = said.substr(kOk.size());
    while (said.ends_with('\r') || said.ends_with('\n')) said.pop_back();
    CHECK(connecting.fixture.is_lost_by(ECONNRESET, Phase::kAuthenticate,
                                        length == 0
                                            ? "it closed the connection without an answer"
                                            : "it closed the connection after it said \"" + said + "\""));
  }
}

TEST("the error about a server that does not speak D-Bus and hangs up shows what it sent") {
  Connecting connecting;
  connecting.hear("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  connecting.fixture.turn(1);
  connecting.peer.receive();
  connecting.peer.hang_up();
  CHECK(connecting.fixture.is_lost_by(ECONNRESET, Phase::kAuthenticate,
                                      "it is not a D-Bus server: it said \"HTTP/1.1 400 Bad Request\""));
}

TEST("the messages that a client sends before it hangs up arrive, although they cannot be answered") {
  Served served;
  served.say(kBegin + number_text(1));
  served.client.hang_up();
  CHECK(served.is_lost_by(ECONNRESET, Phase::kOpen));
  CHECK(served.received == 1);
}

TEST("a missing socket fails in start, and a full one is tried again") {
  Endpoint nowhere;
  CHECK(nowhere.target.set_unix("/nonexistent/socket") == 0);
  CHECK(StreamTransport(std::make_unique<Handshake>(std::move(nowhere))).start() == ENOENT);

  // The queue of a listening socket has room for clients that were not accepted yet.
  Connecting first;
  CHECK(first.fixture.transport.start() == 0);
  std::vector<std::unique_ptr<Fixture>> others;
  for (int i = 0; i < 3; i++) {
    others.push_back(std::make_unique<Fixture>(first.endpoint(false)));
    CHECK(others.back()->transport.start() == 0);
  }
  Fixture& last = *others.back();
  CHECK(last.transport.phase() == Phase::kConnect);
  CHECK(!last.turn().lost && last.transport.phase() == Phase::kConnect);
  first.peer.accept();
  for (int i = 0; i < 100 && last.transport.phase() == Phase::kConnect; i++) last.turn();
  CHECK(last.transport.phase() == Phase::kAuthenticate);
}

TEST("a TCP port without a listener is lost in the phase of connecting") {
  Endpoint endpoint;
  // Port 1 of the loopback device.
  CHECK(endpoint.target.set_tcp("127.0.0.1", 1) == 0);
  Fixture fixture(std::move(endpoint));
  const int error = fixture.transport.start();
  if (error != 0) {
    CHECK(error == ECONNREFUSED);
    return;
  }
  CHECK(fixture.is_lost_by(ECONNREFUSED, Phase::kConnect));
}

TEST("over TCP no user id is believed, anonymous clients come in, and there are no descriptors") {
  transport::SocketAddress address;
  REQUIRE(address.set_tcp("127.0.0.1", 0) == 0);
  UniqueFd listener(transport::make_socket(address));
  REQUIRE(bind(listener.get(), address.get(), address.length) == 0 && listen(listener.get(), 4) == 0);
  address.length = sizeof address.storage;
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length);
  for (const bool anonymous : {false, true}) {
    Endpoint endpoint{.anonymous = anonymous};
    endpoint.target = address;
    Fixture client(std::move(endpoint));
    CHECK(client.transport.start() == 0);
    pollfd watched{listener.get(), POLLIN, 0};
    ::poll(&watched, 1, 1000);
    Fixture server(served(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK), true));
    CHECK(server.transport.start() == 0);
    std::optional<Loss> lost;
    bool opened = false;
    for (int i = 0; i < 100 && !lost && !opened; i++) {
      server.turn(5);
      const Progress progress = client.turn(5);
      lost = progress.lost;
      opened = progress.opened;
    }
    CHECK(opened == anonymous && lost.has_value() != anonymous);
    CHECK(!client.transport.can_send_fds());
  }
}

TEST("a connected socket can have the part of the client, or no handshake at all") {
  for (const transport::Role role : {transport::Role::kClient, transport::Role::kNone}) {
    SocketPair pair;
    Fixture one({.socket = UniqueFd(std::exchange(pair.ours, -1)), .role = role});
    const bool greets = role == transport::Role::kClient;
    Endpoint other = greets ? served(std::exchange(pair.theirs, -1))
                            : Endpoint{.socket = UniqueFd(std::exchange(pair.theirs, -1)), .role = role};
    Fixture two(std::move(other));
    CHECK(one.transport.start() == 0 && two.transport.start() == 0);
    CHECK(one.transport.can_send_fds() == !greets);
    bool opened[2] = {false, false};
    for (int i = 0; i < 100 && !(opened[0] && opened[1]); i++) {
      if (!opened[0]) opened[0] = one.turn(5).opened;
      if (!opened[1]) opened[1] = two.turn(5).opened;
    }
    REQUIRE(opened[0] && opened[1]);
    CHECK(one.transport.can_send_fds() && two.transport.can_send_fds());
    std::vector<transport::Refusal> refused;
    one.transport.send(signal_bytes("u", Bytes().u32(5)), {}, refused);
    CHECK(refused.empty() && two.receive());
  }
}

TEST("nothing is sent before a connection is open, and nothing after it is closed") {
  Served served;
  std::vector<transport::Refusal> refused;
  std::vector<uint8_t> two = signal_bytes("u", Bytes().u32(1), 7);
  const std::vector<uint8_t> second = signal_bytes("u", Bytes().u32(1), 8);
  two.resize((two.size() + 7) & ~size_t{7});
  two.insert(two.end(), second.begin(), second.end());
  served.transport.send(two, {}, refused);
  REQUIRE(refused.size() == 2);
  CHECK(refused[0].serial == 7 && refused[0].error == ENOTCONN);
  CHECK(refused[1].serial == 8 && refused[1].error == ENOTCONN);
  served.transport.flush(10);
  served.transport.close();
  served.transport.send(two, {}, refused);
  CHECK(refused.size() == 4 && served.transport.pending_bytes() == 0);
  const Progress progress = served.turn(1);
  CHECK(!progress.opened && !progress.lost);
  CHECK(served.heard().empty());
}

TEST("the last words of a handshake that do not fit into the socket leave before the first message") {
  Served served;
  const int small = 1;
  setsockopt(served.transport.wants().fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  // Something else has filled the socket.
  const std::string filler(4096, 'x');
  size_t filled = 0;
  for (ssize_t sent = 0; sent >= 0; filled += static_cast<size_t>(sent > 0 ? sent : 0))
    sent = ::send(served.transport.wants().fd, filler.data(), filler.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  served.say(kBegin + number_text(1));
  CHECK(!served.turn().opened);
  CHECK(served.transport.phase() == Phase::kAuthenticate && served.transport.wants().writable);
  CHECK(!served.transport.wants().readable);
  std::string heard;
  bool opened = false;
  for (int i = 0; i < 100 && !opened; i++) {
    heard += served.heard();
    opened = served.turn().opened;
  }
  heard += served.heard();
  CHECK(opened && heard.substr(filled) == "DATA\r\n" + kOk + "AGREE_UNIX_FD\r\n");
  CHECK(served.receive());
}
