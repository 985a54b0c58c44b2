// Wire bytes → sd_bus_message → inbox, over a real sd-bus without a bus: a socketpair that nobody answers on.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <string>

#include "check.h"
#include "message_bytes.h"
#include "sdbus/bridge_in.h"
#include "sdbus/bridge_out.h"
#include "sdbus/bus.h"

using namespace busbar;
using busbar::test::Bytes;
using busbar::test::message_bytes;
using busbar::test::MessageFields;
using transport::Fault;
using transport::Row;

namespace {

struct Bridge {
  explicit Bridge(size_t arena_size = 4096)
      : arena(arena_size),
        rows(16 * transport::kRowLength),
        strings(64 * 3),
        fds(16),
        inbox({arena, rows, strings, fds}) {
    library = sdbus::Library::open();
    if (library == nullptr) return;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) return;
    peer = pair[1];
    bus = std::make_unique<sdbus::Bus>(library->api());
    if (bus->start_fd(pair[0]) < 0) bus.reset();
  }
  ~Bridge() {
    if (peer >= 0) close(peer);
  }

  int build(const std::vector<uint8_t>& bytes, sdbus::Message& message,
            std::span<const int32_t> sent_fds = {}) {
    wire::Header header;
    if (wire::read_header(bytes, header) != wire::HeaderFault::kNone) return -EBADMSG;
    return sdbus::build_message(library->api(), bus->get(), header,
                                std::span(bytes).subspan(header.body_offset, header.body_length), sent_fds,
                                message);
  }

  // There and back again. The message's own bytes are gone when this returns.
  int round_trip(const std::vector<uint8_t>& bytes, std::span<const int32_t> sent_fds = {}) {
    sdbus::Message message;
    const int r = build(bytes, message, sent_fds);
    if (r < 0) return r;
    stored = sdbus::store_message(library->api(), message.get(), inbox);
    return 0;
  }

  Row row(size_t index) const {
    Row row;
    memcpy(static_cast<void*>(&row), rows.data() + index * transport::kRowLength, sizeof row);
    return row;
  }

  std::string string(int32_t id) const {
    for (size_t i = 0; i < static_cast<size_t>(inbox.new_strings()); i++) {
      const int32_t* entry = strings.data() + 3 * i;
      if (entry[0] == id) {
        return std::string(reinterpret_cast<const char*>(arena.data()) + entry[1],
                           static_cast<size_t>(entry[2]));
      }
    }
    return "";
  }

  std::vector<uint8_t> body(const Row& row) const {
    const auto begin = arena.begin() + row.body_offset;
    return std::vector<uint8_t>(begin, begin + row.body_length);
  }

  std::unique_ptr<sdbus::Library> library;
  std::unique_ptr<sdbus::Bus> bus;
  int peer = -1;
  std::vector<uint8_t> arena;
  std::vector<int32_t> rows, strings, fds;
  transport::Inbox inbox;
  sdbus::Stored stored = sdbus::Stored::kIgnored;
};

#define REQUIRE_LIBRARY(bridge)                                            \
  if ((bridge).library == nullptr) SKIP("no sd-bus library is installed"); \
  REQUIRE((bridge).bus != nullptr)

MessageFields signal_fields(std::string_view signature) {
  return {.type = 4, .serial = 3, .path = "/a/b", .interface = "a.b", .member = "C", .signature = signature};
}

// Sends a signal with this body there and back, and checks that it arrives as it was.
void check_body(std::string_view signature, const Bytes& body) {
  Bridge bridge(1 << 20);
  REQUIRE_LIBRARY(bridge);
  REQUIRE(bridge.round_trip(message_bytes(signal_fields(signature), body)) == 0);
  REQUIRE(bridge.inbox.count() == 1);
  const Row row = bridge.row(0);
  CHECK(row.fault == 0);
  CHECK(row.body_offset % 8 == 0);
  CHECK(bridge.string(row.signature) == signature);
  CHECK(bridge.body(row) == body.bytes);
}

// The refusal, as a positive errno.
int refusal(std::string_view signature, const Bytes& body) {
  Bridge bridge;
  if (bridge.library == nullptr) return EINVAL;
  return -bridge.round_trip(message_bytes(signal_fields(signature), body));
}

}  // namespace

TEST("a method call keeps serial, flags and all strings") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  REQUIRE(bridge.round_trip(message_bytes({.type = 1,
                                           .flags = 7,
                                           .serial = 0xfffffff0,
                                           .path = "/p",
                                           .interface = "i.f",
                                           .member = "M",
                                           .destination = "d.e"})) == 0);
  const Row row = bridge.row(0);
  CHECK(row.type == 1 && row.flags == 7 && static_cast<uint32_t>(row.serial) == 0xfffffff0 &&
        row.reply_serial == 0);
  CHECK(bridge.string(row.path) == "/p" && bridge.string(row.interface) == "i.f");
  CHECK(bridge.string(row.member) == "M" && bridge.string(row.destination) == "d.e");
  CHECK(row.error_name == 0 && row.sender == 0 && row.signature == 0 && row.body_length == 0 &&
        row.body_offset == 0);
}

TEST("a method call without flags, interface and destination has none") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  REQUIRE(bridge.round_trip(message_bytes({.type = 1, .serial = 1, .path = "/", .member = "M"})) == 0);
  const Row row = bridge.row(0);
  CHECK(row.flags == 0 && row.interface == 0 && row.destination == 0);
}

TEST("a method return keeps reply serial and destination") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  REQUIRE(bridge.round_trip(message_bytes(
              {.type = 2, .serial = 5, .reply_serial = 0xfffffffe, .destination = ":1.9", .signature = "s"},
              Bytes().string("x"))) == 0);
  const Row row = bridge.row(0);
  CHECK(row.type == 2 && row.serial == 5 && static_cast<uint32_t>(row.reply_serial) == 0xfffffffe);
  CHECK(bridge.string(row.destination) == ":1.9" && row.sender == 0 && row.body_length == 6);
}

TEST("a reply between peers has no destination") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  REQUIRE(bridge.round_trip(message_bytes({.type = 2, .serial = 5, .reply_serial = 6})) == 0);
  CHECK(bridge.row(0).reply_serial == 6 && bridge.row(0).destination == 0);
}

TEST("an error keeps its name and only the body it has") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  REQUIRE(bridge.round_trip(
              message_bytes({.type = 3, .serial = 5, .reply_serial = 6, .error_name = "e.N"})) == 0);
  REQUIRE(bridge.round_trip(message_bytes(
              {.type = 3, .serial = 5, .reply_serial = 6, .error_name = "e.N", .signature = "u"},
              Bytes().u32(1))) == 0);
  CHECK(bridge.row(0).type == 3 && bridge.string(bridge.row(0).error_name) == "e.N");
  CHECK(bridge.row(0).signature == 0 && bridge.string(bridge.row(1).signature) == "u");
}

TEST("SENDER is not sent") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  MessageFields fields = signal_fields("");
  fields.sender = ":1.77";
  REQUIRE(bridge.round_trip(message_bytes(fields)) == 0);
  CHECK(bridge.row(0).sender == 0);
}

TEST("a signal may have a destination") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  MessageFields fields = signal_fields("");
  fields.destination = ":1.5";
  REQUIRE(bridge.round_trip(message_bytes(fields)) == 0);
  CHECK(bridge.string(bridge.row(0).destination) == ":1.5");
}

TEST("every basic type passes both ways, at its limits") {
  Bytes body;
  body.u8(255)
      .align(4)
      .u32(1)
      .u16(0x8000)
      .u16(0xffff)
      .u32(0x80000000)
      .u32(0xffffffff)
      .u64(1ull << 63)
      .u64(~0ull);
  body.f64(-0.0).f64(std::numeric_limits<double>::denorm_min()).f64(std::numeric_limits<double>::quiet_NaN());
  body.string("h\xc3\xa9 \xf0\x9f\x98\x80").string("/a/b").signature("a{sv}").string("");
  check_body("ybnqiuxtdddsogs", body);
}

TEST("containers pass both ways") {
  Bytes body;
  // a(yv): two entries, one with an array of strings inside.
  Bytes entries;
  entries.u8(1).signature("u").u32(9).align(8).u8(2).signature("as").u32(14).string("a").string("b");
  body.u32(static_cast<uint32_t>(entries.bytes.size())).align(8).add(entries);
  // a{ys}
  Bytes pairs;
  pairs.align(8).u8(1).string("one").align(8).u8(2).string("two");
  body.u32(static_cast<uint32_t>(pairs.bytes.size())).align(8).add(pairs);
  check_body("a(yv)a{ys}", body);
}

TEST("plain arrays and arrays of booleans pass both ways") {
  Bytes body;
  body.u32(3).u8(1).u8(2).u8(3);
  body.u32(6).u16(1).u16(2).u16(3);
  body.u32(8).u32(0).u32(1);
  body.u32(16).align(8).f64(1.5).f64(-2.5);
  check_body("ayaqabad", body);
}

TEST("an empty array keeps the padding to its elements") {
  check_body("a(t)y", Bytes().u32(0).align(8).u8(7));
  check_body("yaty", Bytes().u8(1).u32(0).align(8).u8(7));
  check_body("a{sv}", Bytes().u32(0).align(8));
}

TEST("64 containers deep passes, 65 is refused") {
  const auto nested = [](int depth) {
    Bytes body;
    for (int i = 0; i < depth; i++) body.signature("v");
    return body.signature("y").u8(1);
  };
  check_body("v", nested(63));
  CHECK(refusal("v", nested(64)) == EINVAL);
}

TEST("bodies that do not fit their signature are refused, and nothing is sent") {
  CHECK(refusal("s", Bytes().u32(1)) == EINVAL);
  CHECK(refusal("b", Bytes().u32(2)) == EINVAL);
  CHECK(refusal("u", Bytes().u32(2).u8(0)) == EINVAL);
  CHECK(refusal("o", Bytes().string("a")) == EINVAL);
  CHECK(refusal("g", Bytes().signature("(")) == EINVAL);
  CHECK(refusal("s", Bytes().string("\xff")) == EINVAL);
  CHECK(refusal("s", Bytes().string(std::string_view("a\0b", 3))) == EINVAL);
  CHECK(refusal("v", Bytes().signature("uu").u32(1).u32(1)) == EINVAL);
  CHECK(refusal("v", Bytes().signature("")) == EINVAL);
  CHECK(refusal("au", Bytes().u32(5).u32(1).u8(0)) == EINVAL);
  CHECK(refusal("as", Bytes().u32(4).u32(0).u8(0)) == EINVAL);
  CHECK(refusal("yu", Bytes().u8(1).align(4, 1).u32(1)) == EINVAL);
}

TEST("Unicode noncharacters are refused, since sd-bus does") {
  CHECK(refusal("s", Bytes().string("\xef\xbf\xbf")) == EINVAL);
}

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

TEST("a descriptor index that is out of range is refused") { CHECK(refusal("h", Bytes().u32(0)) == EINVAL); }

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
  bridge.inbox.clear();
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
  bridge.inbox.clear();
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

TEST("a path that no arena holds costs its message only") {
  Bridge bridge;
  REQUIRE_LIBRARY(bridge);
  MessageFields fields = signal_fields("");
  const std::string path = "/" + std::string(5000, 'p');
  fields.path = path;
  REQUIRE(bridge.round_trip(message_bytes(fields)) == 0);
  CHECK(bridge.stored == sdbus::Stored::kStored);
  CHECK(bridge.row(0).path == 0 && bridge.row(0).fault == static_cast<int32_t>(Fault::kOutOfMemory));
  CHECK(bridge.string(bridge.row(0).member) == "C");
}
