// The bounds of the sd-bus transport: what it keeps of messages that it reads while only writing was asked
// for, and what it gives sd-bus at a time.
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

#include "transport_fixture.h"

using namespace busbar;
using namespace busbar::test;

namespace {

// As SECURITY.md has them.
constexpr size_t kMaxHeld = 4096;
constexpr size_t kMaxHeldBytes = size_t{16} << 20;
constexpr uint64_t kMaxGiven = 256;
constexpr uint64_t kMaxGivenBytes = uint64_t{1} << 20;

// A transport that has far more to write than the other side reads, which speaks meanwhile.
//
// sd-bus reads only where a step of it could write, but no message to its end. So there is one large message
// to write, and a socket that takes little of it at a time, so that there are many such steps.
struct Writing : Fixture {
  bool begin(size_t length) {
    if (!open()) return false;
    peer.receive();
    const int least = 1;
    setsockopt(transport->wants().fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    Bytes bytes;
    bytes.u32(static_cast<uint32_t>(length)).raw(std::string(length, 'x'));
    std::vector<transport::Refusal> refused;
    transport->send(message_bytes(signal_fields("ay"), bytes), {}, refused);
    return refused.empty() && transport->pending_bytes() > 0;
  }

  // The other side says more of what it has to say, and takes what was written; then more is written.
  void exchange(std::span<const uint8_t> message) {
    // Whole messages, one after the other, as the socket takes them.
    while (true) {
      const size_t taken = peer.offer(message.subspan(said_));
      if (taken == 0) break;
      said_ += taken;
      if (said_ < message.size()) continue;
      said_ = 0;
      sent++;
    }
    heard_bytes += peer.receive().size();
    transport->write();
  }

  // Goes on until nothing is written any more although the other side reads; returns whether something is
  // left then.
  bool settle_stuck(std::span<const uint8_t> message) {
    for (int idle = 0, rounds = 0; idle < 50 && rounds < 1'000'000 && transport->pending_bytes() > 0;
         rounds++) {
      const uint64_t before = heard_bytes;
      exchange(message);
      idle = heard_bytes == before ? idle + 1 : 0;
    }
    return transport->pending_bytes() > 0;
  }

  // What of the other side's messages is not in the socket any more.
  size_t read_bytes(std::span<const uint8_t> message) {
    int waiting = 0;
    ioctl(transport->wants().fd, FIONREAD, &waiting);
    return sent * message.size() + said_ - static_cast<size_t>(waiting);
  }

  uint64_t heard_bytes = 0;
  size_t sent = 0;

 private:
  size_t said_ = 0;
};

// sd-bus, and how much it has been given that it has not written.
struct Watch {
  static inline const sdbus::Api* real = nullptr;
  static inline uint64_t most = 0;
  static inline uint64_t sends = 0;

  static int send(sd_bus* bus, sd_bus_message* message, uint64_t* cookie) {
    const int r = real->sd_bus_send(bus, message, cookie);
    uint64_t queued = 0;
    real->sd_bus_get_n_queued_write(bus, &queued);
    most = std::max(most, queued);
    sends++;
    return r;
  }
};

struct Watched : Fixture {
  Watched() {
    if (library == nullptr) return;
    Watch::real = &library->api();
    Watch::most = Watch::sends = 0;
    api = library->api();
    api.sd_bus_send = Watch::send;
    transport.emplace(api, peer.address());
  }
  sdbus::Api api;
};

}  // namespace

TEST("of messages that are read while only writing was asked for, 4096 are kept; then nothing is written") {
  Writing writing;
  REQUIRE_LIBRARY(writing);
  REQUIRE(writing.begin(size_t{64} << 20));
  const std::vector<uint8_t> small = message_bytes(signal_fields("u"), Bytes().u32(5));
  REQUIRE(writing.settle_stuck(small));
  CHECK(writing.read_bytes(small) / small.size() == kMaxHeld);
  // Flushing does not go beyond it either, and does not wait for its time.
  const uint64_t before = monotonic_now(), pending = writing.transport->pending_bytes();
  writing.transport->flush(60'000);
  CHECK(monotonic_now() - before < 30'000'000 && writing.transport->pending_bytes() == pending);
  // They are all there, and a turn that reads them makes room: writing goes on.
  size_t received = 0;
  while (received < kMaxHeld) {
    writing.begin_batch();
    writing.transport->process(writing.inbox);
    REQUIRE(writing.inbox.count() > 0);
    received += static_cast<size_t>(writing.inbox.count());
  }
  const uint64_t heard = writing.heard_bytes;
  for (int i = 0; i < 100 && writing.heard_bytes == heard; i++) writing.exchange(small);
  CHECK(writing.heard_bytes > heard);
}

TEST("and as many as have 16 MiB of bodies, with the last one") {
  Writing writing;
  REQUIRE_LIBRARY(writing);
  REQUIRE(writing.begin(size_t{63} << 20));
  constexpr size_t kLength = size_t{1} << 20;
  Bytes bytes;
  bytes.u32(kLength - 4).raw(std::string(kLength - 4, 'y'));
  const std::vector<uint8_t> large = message_bytes(signal_fields("ay"), bytes);
  REQUIRE(writing.settle_stuck(large));
  CHECK(writing.read_bytes(large) / large.size() == kMaxHeldBytes / kLength);
}

TEST("sd-bus is given 256 messages at a time, and the others wait") {
  Watched watched;
  REQUIRE_LIBRARY(watched);
  REQUIRE(watched.open());
  const std::vector<uint8_t> small = message_bytes(signal_fields("u"), Bytes().u32(5));
  std::vector<transport::Refusal> refused;
  // sd-bus asks for a socket buffer of 8 MiB, and gets it where it may.
  for (size_t i = 0; i < 100'000; i++) watched.transport->send(small, {}, refused);
  REQUIRE(refused.empty() && watched.transport->pending_bytes() > kMaxGiven * small.size());
  CHECK(Watch::most == kMaxGiven && Watch::sends < 100'000);
  bool drained = false;
  for (int i = 0; i < 100'000 && !drained; i++) {
    watched.peer.receive();
    drained = watched.turn(1).drained;
  }
  CHECK(drained && Watch::most == kMaxGiven && Watch::sends == 100'000);
}

TEST("and 1 MiB, with the last one") {
  Watched watched;
  REQUIRE_LIBRARY(watched);
  REQUIRE(watched.open());
  constexpr size_t kLength = size_t{200} << 10;
  Bytes bytes;
  bytes.u32(kLength).raw(std::string(kLength, 'x'));
  const std::vector<uint8_t> message = message_bytes(signal_fields("ay"), bytes);
  std::vector<transport::Refusal> refused;
  constexpr size_t kCount = 400;
  for (size_t i = 0; i < kCount; i++) watched.transport->send(message, {}, refused);
  REQUIRE(refused.empty() && watched.transport->pending_bytes() > kMaxGivenBytes);
  // Five have less than 1 MiB, and one more is given.
  const uint64_t fits = (kMaxGivenBytes + message.size() - 1) / message.size();
  CHECK(Watch::most == fits && Watch::sends < kCount);
  bool drained = false;
  for (int i = 0; i < 100'000 && !drained; i++) {
    watched.peer.receive();
    drained = watched.turn(1).drained;
  }
  CHECK(drained && Watch::most == fits && Watch::sends == kCount);
}
