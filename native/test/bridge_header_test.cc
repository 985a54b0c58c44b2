// Header fields through the bridge, there and back.
#include "bridge_fixture.h"

using namespace busbar;
using namespace busbar::test;
using inbox::Fault;

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
