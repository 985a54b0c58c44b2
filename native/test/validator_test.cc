// Bodies, sound and broken: each rule in both byte orders.
#include "wire/validator.h"

#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "message_bytes.h"
#include "wire/work.h"

using busbar::test::Bytes;
using namespace busbar::wire;

namespace {

// Copied to memory of just that size, so that the sanitizer sees every step too far.
Verdict verdict_of(std::string_view signature, const Bytes& body, bool big, uint32_t fds = 0) {
  std::vector<uint8_t> bytes = body.bytes;
  bytes.shrink_to_fit();
  Validator validator;
  return validator.validate(signature, bytes, big, fds);
}

// The rule that a body breaks, which has to be the same in both byte orders.
template <typename Write>
Rule rule_of(std::string_view signature, Write write, uint32_t fds = 0) {
  Bytes little, big(true);
  write(little);
  write(big);
  const Verdict first = verdict_of(signature, little, false, fds);
  const Verdict second = verdict_of(signature, big, true, fds);
  CHECK(first.rule == second.rule && first.offset == second.offset);
  return first.rule;
}

#define BODY(steps) [&](Bytes& b) { b.steps; }

void nest_variants(Bytes& bytes, int depth) {
  for (int i = 1; i < depth; i++) bytes.signature("v");
  bytes.signature("y").u8(1);
}

}  // namespace

TEST("valid bodies are accepted") {
  CHECK(rule_of("", BODY(raw(""))) == Rule::kNone);
  CHECK(rule_of("ybnqiuxtd", BODY(u8(1).u32(1).u16(2).u16(3).u32(4).u32(5).u64(6).u64(7).f64(8))) ==
        Rule::kNone);
  CHECK(rule_of("sog", BODY(string("text").string("/a/b").signature("a{sv}(ii)"))) == Rule::kNone);
  CHECK(rule_of("s", BODY(string(""))) == Rule::kNone);
  CHECK(rule_of("ay", BODY(u32(3).raw("abc"))) == Rule::kNone);
  CHECK(rule_of("at", BODY(u32(16).align(8).u64(1).u64(2))) == Rule::kNone);
  // The padding in front of elements is there even if they are not.
  CHECK(rule_of("aty", BODY(u32(0).align(8).u8(1))) == Rule::kNone);
  CHECK(rule_of("a(yu)", BODY(u32(16).align(8).u8(1).u32(2).align(8).u8(3).u32(4))) == Rule::kNone);
  CHECK(rule_of("a{sv}", BODY(u32(16).align(8).string("k").signature("u").align(4).u32(4))) == Rule::kNone);
  CHECK(rule_of("aas", BODY(u32(16).u32(6).string("a").align(4).u32(0))) == Rule::kNone);
  CHECK(rule_of("v", BODY(signature("(us)").align(8).u32(1).string("x"))) == Rule::kNone);
  CHECK(rule_of("vv", BODY(signature("ai").u32(4).u32(7).signature("v").signature("ai").u32(4).u32(8))) ==
        Rule::kNone);
  CHECK(rule_of("ahh", BODY(u32(8).u32(0).u32(2).u32(1)), 3) == Rule::kNone);
}

TEST("each rule is checked") {
  CHECK(rule_of("s", BODY(raw(""))) == Rule::kBodyBounds);
  CHECK(rule_of("u", BODY(u16(1))) == Rule::kBodyBounds);
  CHECK(rule_of("s", BODY(u32(100).raw("abc"))) == Rule::kBodyBounds);
  CHECK(rule_of("s", BODY(u32(0xffffffff).raw("abc"))) == Rule::kBodyBounds);
  CHECK(rule_of("s", BODY(u32(3).raw("abc"))) == Rule::kBodyBounds);
  CHECK(rule_of("s", BODY(u32(1).raw("ab"))) == Rule::kStringEnd);
  CHECK(rule_of("s", BODY(string(std::string_view("a\0b", 3)))) == Rule::kEmbeddedNul);
  CHECK(rule_of("s", BODY(string("a\xff"))) == Rule::kUtf8);
  CHECK(rule_of("o", BODY(string("no path"))) == Rule::kObjectPathValue);
  CHECK(rule_of("g", BODY(signature("a"))) == Rule::kSignatureValue);
  CHECK(rule_of("g", BODY(u8(1).raw("ss"))) == Rule::kStringEnd);
  CHECK(rule_of("b", BODY(u32(2))) == Rule::kBoolean);
  CHECK(rule_of("ab", BODY(u32(8).u32(1).u32(256))) == Rule::kBoolean);
  CHECK(rule_of("yu", BODY(u8(1).align(4, 1).u32(1))) == Rule::kBodyPadding);
  CHECK(rule_of("at", BODY(u32(8).align(8, 1).u64(1))) == Rule::kBodyPadding);
  CHECK(rule_of("y(y)", BODY(u8(1).align(8, 1).u8(1))) == Rule::kBodyPadding);
  CHECK(rule_of("at", BODY(u32(0))) == Rule::kBodyBounds);
  CHECK(rule_of("au", BODY(u32(5).u32(1).u8(1))) == Rule::kArrayEnd);
  CHECK(rule_of("au", BODY(u32(8).u32(1))) == Rule::kBodyBounds);
  CHECK(rule_of("as", BODY(u32(5).string("abcdef"))) == Rule::kBodyBounds);
  CHECK(rule_of("a(uu)", BODY(u32(12).align(8).u64(1).u64(2))) == Rule::kBodyBounds);
  CHECK(rule_of("ay", BODY(u32((1u << 26) + 1).raw("abc"))) == Rule::kArrayLength);
  CHECK(rule_of("as", BODY(u32(0xffffffff).raw("abc"))) == Rule::kArrayLength);
  CHECK(rule_of("v", BODY(signature("").u32(1))) == Rule::kVariantType);
  CHECK(rule_of("v", BODY(signature("uu").u32(1).u32(2))) == Rule::kVariantType);
  CHECK(rule_of("v", BODY(signature("a").u32(0))) == Rule::kVariantType);
  CHECK(rule_of("v", BODY(signature("(").u32(0))) == Rule::kVariantType);
  CHECK(rule_of("v", BODY(signature("z").u32(0))) == Rule::kVariantType);
  CHECK(rule_of("v", BODY(signature("u"))) == Rule::kBodyBounds);
  CHECK(rule_of("h", BODY(u32(1)), 1) == Rule::kFdIndex);
  CHECK(rule_of("v", BODY(signature("h").align(4).u32(0))) == Rule::kFdIndex);
  CHECK(rule_of("s", BODY(string("long").u8(1))) == Rule::kBodyEnd);
  CHECK(rule_of("", BODY(u8(1))) == Rule::kBodyEnd);
  CHECK(rule_of("(", BODY(u8(1))) == Rule::kSignature);
}

TEST("containers may be nested 64 deep, and no deeper") {
  const auto nested = [](int depth) { return [=](Bytes& b) { nest_variants(b, depth); }; };
  CHECK(rule_of("v", nested(64)) == Rule::kNone);
  CHECK(rule_of("v", nested(65)) == Rule::kDepth);
  CHECK(rule_of("(v)", nested(63)) == Rule::kNone);
  CHECK(rule_of("(v)", nested(64)) == Rule::kDepth);
}

TEST("variants within variants of the same place in the cache are checked by their own types") {
  // More types within one another than the cache has places.
  Bytes body;
  std::vector<std::string> types;
  types.reserve(60);
  for (int i = 0; i < 60; i++) types.push_back("(" + std::string(static_cast<size_t>(i) + 1, 'y') + "v)");
  for (const std::string& type : types) {
    body.signature(type).align(8).raw(std::string(type.size() - 3, '\1'));
    if (&type - types.data() == 30) break;
  }
  body.signature("u").u32(7);
  Validator validator;
  for (int i = 0; i < 3; i++) {
    std::vector<uint8_t> bytes = body.bytes;
    CHECK(validator.validate("v", bytes, false, 0).is_sound());
  }
}

TEST("a body in the other byte order is rewritten in this one's") {
  const auto write = [](Bytes& b) {
    b.u16(1).u32(2).u64(3).f64(4.5).string("s").u32(1).u32(8).u32(0).u32(9);
    b.u32(6).u16(1).u16(2).u16(3).align(4).u32(8).align(8).u64(5);
    b.signature("a(yt)").u32(16).align(8).u8(1).u64(2).u32(3);
  };
  Bytes little, big(true);
  write(little);
  write(big);
  Validator validator;
  CHECK(validator.validate("qutdsbauanatvu", big.bytes, true, 0).is_sound());
  CHECK(big.bytes == little.bytes);
}

TEST("every single corrupt byte, and every length, is survived") {
  const auto write = [](Bytes& b) {
    b.u8(1).string("text").u32(24).align(8).string("key").signature("as").u32(6).string("x").align(8);
    b.signature("(oh)").align(8).string("/a").align(4).u32(0);
  };
  for (const bool is_big : {false, true}) {
    Bytes good(is_big);
    write(good);
    for (size_t at = 0; at < good.bytes.size(); at++) {
      for (int value = 0; value < 256; value++) {
        Bytes changed = good;
        changed.bytes[at] = static_cast<uint8_t>(value);
        CHECK(verdict_of("ysa{sv}v", changed, is_big, 1).offset <= good.bytes.size());
      }
      Bytes cut = good;
      cut.bytes.resize(at);
      CHECK(!verdict_of("ysa{sv}v", cut, is_big, 1).is_sound());
    }
  }
}

TEST("the cost of values is added up during the walk, which stops at the limit") {
  Bytes body;
  body.u32(400'000);
  for (int i = 0; i < 100'000; i++) body.u32(0);
  Validator validator;
  std::vector<uint8_t> bytes = body.bytes;
  REQUIRE(validator.validate("aay", bytes, false, 0).is_sound());
  const uint64_t cost = validator.cost();
  CHECK(cost > 100'000 * uint64_t{200} && cost < 100'000 * uint64_t{500});
  CHECK(validator.validate("aay", bytes, false, {.decoded_size = cost}).is_sound());
  CHECK(validator.validate("aay", bytes, false, {.decoded_size = cost - 1}).rule == Rule::kDecodedSize);
  // A tenth of it is known to be too much after a tenth of the bytes, in either byte order.
  const Verdict early = validator.validate("aay", bytes, false, {.decoded_size = cost / 10});
  CHECK(early.rule == Rule::kDecodedSize && early.offset < bytes.size() / 9);
}

TEST("a key that is an array index costs the places up to it, as far as objects keep an array") {
  const auto cost_of = [](const std::vector<std::string>& keys) {
    Bytes entries;
    for (const std::string& key : keys) entries.align(8).string(key).u8(1);
    Bytes body;
    body.u32(static_cast<uint32_t>(entries.bytes.size())).align(8);
    body.bytes.insert(body.bytes.end(), entries.bytes.begin(), entries.bytes.end());
    Validator validator;
    CHECK(validator.validate("a{sy}", body.bytes, false, 0).is_sound());
    return validator.cost();
  };
  const uint64_t plain = cost_of({"abcd"});
  CHECK(cost_of({"1023"}) >= plain + uint64_t{1024} * 8);
  CHECK(cost_of({"4294967294"}) < plain + 1000);
  CHECK(cost_of({"0123"}) == plain && cost_of({"12.5"}) == plain && cost_of({"-123"}) == plain);
  // Keys one after the other cost a place each, and no more when they come again.
  CHECK(cost_of({"1000", "1001"}) - cost_of({"1000"}) < 200);
  CHECK(cost_of({"1000", "1000"}) - cost_of({"1000"}) < 200);
  CHECK(cost_of({"1000", "2000"}) - cost_of({"1000"}) > 8000);
}

TEST("work is in proportion to bytes: signatures that are never the same, and all in each other's places") {
  const auto steps_of = [](size_t count) {
    Bytes body;
    body.u32(0);
    uint32_t state = 1;
    for (size_t i = 0; i < count; i++) {
      std::string type = "a(";
      for (int letter = 0; letter < 6; letter++) {
        state = state * 1664525u + 1013904223u;
        type += "ybnqiuxtdsog"[state >> 16 & 7];
      }
      body.signature(type + ")").align(4).u32(0).align(8);
    }
    const uint32_t length = static_cast<uint32_t>(body.bytes.size()) - 4;
    std::memcpy(body.bytes.data(), &length, 4);
    Validator validator;
    const uint64_t before = steps_taken;
    CHECK(validator.validate("av", body.bytes, false, 0).is_sound());
    return steps_taken - before;
  };
  const uint64_t few = steps_of(5'000), many = steps_of(40'000);
  CHECK(few > 0 && many < few * 9 && many < 40'000 * uint64_t{24} * 12);
}
