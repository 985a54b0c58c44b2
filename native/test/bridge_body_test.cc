// Bodies through the bridge: every type, and what is refused.
#include <limits>

#include "bridge_fixture.h"

using namespace busbar;
using namespace busbar::test;

namespace {

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
  CHECK(refusal("s", Bytes().string("\xef\xbf\xbf")) == EILSEQ);
  CHECK(refusal("as", Bytes().u32(8).string("\xef\xb7\x90")) == EILSEQ);
}

TEST("a descriptor index that is out of range is refused") { CHECK(refusal("h", Bytes().u32(0)) == EINVAL); }
