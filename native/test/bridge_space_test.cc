// Descriptors and bodies through the bridge when the inbox has little room.
#include <fcntl.h>

#include "bridge_fixture.h"

using namespace busbar;
using namespace busbar::test;
using inbox::Fault;

TEST("descriptors cross as duplicates, each distinct one once") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  int pipe_fds[2];
  REQUIRE(pipe2(pipe_fds, O_CLOEXEC) == 0);
  MessageFields fields = signal_fields("hhah");
  fields.unix_fds = 2;
  const Bytes body = Bytes().u32(1).u32(0).u32(4).u32(1);
  sdbus::Message message;
  REQUIRE(bridge.build(message_bytes(fields, body), message, pipe_fds) == 0);
  close(pipe_fds[0]);
  close(pipe_fds[1]);
  REQUIRE(sdbus::store_message(bridge.library->api(), message.get(), bridge.inbox) == sdbus::Stored::kStored);
  message.reset();
  const Row row = bridge.row(0);
  CHECK(row.fault == 0 && row.fd_offset == 0);
  // sd-bus sends a descriptor for every value, so the two values that shared one have two now.
  REQUIRE(row.fd_count == 3);
  CHECK(bridge.body(row) == Bytes().u32(0).u32(1).u32(4).u32(2).bytes);
  const int writing = bridge.fds[0], reading = bridge.fds[1];
  CHECK(fcntl(writing, F_GETFD) == FD_CLOEXEC && fcntl(reading, F_GETFD) == FD_CLOEXEC);
  char byte = 'x';
  CHECK(write(writing, &byte, 1) == 1 && read(reading, &byte, 1) == 1);
  bridge.inbox.close_fds(0);
  CHECK(fcntl(reading, F_GETFD) < 0 && errno == EBADF);
}

TEST("descriptors that do not fit end the batch, or cost only their message when it is alone") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  MessageFields fields = signal_fields("ah");
  fields.unix_fds = 1;
  const int32_t one[] = {0};
  Bytes nine, twenty;
  nine.u32(9 * 4);
  for (uint32_t i = 0; i < 9; i++) nine.u32(0);
  twenty.u32(20 * 4);
  for (uint32_t i = 0; i < 20; i++) twenty.u32(0);
  REQUIRE(bridge.round_trip(message_bytes(fields, nine), one) == 0);
  CHECK(bridge.stored == sdbus::Stored::kStored && bridge.row(0).fd_count == 9);
  REQUIRE(bridge.round_trip(message_bytes(fields, nine), one) == 0);
  CHECK(bridge.stored == sdbus::Stored::kBatchFull && bridge.inbox.count() == 1);
  bridge.inbox.close_fds(0);
  bridge.begin_batch();
  REQUIRE(bridge.round_trip(message_bytes(fields, twenty), one) == 0);
  const Row row = bridge.row(0);
  CHECK(row.fault == static_cast<int32_t>(Fault::kOutOfMemory) && row.fd_count == 0 && row.body_length == 0);
}

TEST("a body that does not fit ends the batch, and goes into an empty one") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  const Bytes body = Bytes().string(std::string(3000, 'x'));
  const std::vector<uint8_t> bytes = message_bytes(signal_fields("s"), body);
  REQUIRE(bridge.round_trip(bytes) == 0);
  CHECK(bridge.stored == sdbus::Stored::kStored);
  REQUIRE(bridge.round_trip(bytes) == 0);
  CHECK(bridge.stored == sdbus::Stored::kBatchFull && bridge.inbox.count() == 1);
  bridge.begin_batch();
  REQUIRE(bridge.round_trip(bytes) == 0);
  CHECK(bridge.stored == sdbus::Stored::kStored && bridge.body(bridge.row(0)) == body.bytes);
}

TEST("a body larger than the arena goes alone, in memory of its own") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  Bytes body;
  body.u32(100000).raw(std::string(100000, 'z')).align(4).string("end");
  const std::vector<uint8_t> bytes = message_bytes(signal_fields("ays"), body);
  REQUIRE(bridge.round_trip(bytes) == 0);
  CHECK(bridge.stored == sdbus::Stored::kStored && bridge.inbox.is_full());
  const std::span<const uint8_t> large = bridge.inbox.large_body();
  CHECK(std::vector<uint8_t>(large.begin(), large.end()) == body.bytes);
  CHECK(bridge.row(0).body_offset == 0 &&
        static_cast<size_t>(bridge.row(0).body_length) == body.bytes.size());
}
