// Message headers, sound and broken.
#include "wire/header.h"

#include "check.h"
#include "message_bytes.h"
#include "wire/work.h"

using namespace busbar::wire;
using busbar::test::Bytes;
using busbar::test::message_bytes;
using busbar::test::MessageFields;

namespace {

const MessageFields kSignalFields = {
    .type = kSignal, .serial = 7, .path = "/a", .interface = "a.b", .member = "C"};

Rule rule_of(const std::vector<uint8_t>& bytes) {
  Header header;
  return read_header(bytes, header).rule;
}

}  // namespace

TEST("all fields are read, in either byte order") {
  for (const bool big : {false, true}) {
    Bytes body(big);
    body.string("x");
    const std::vector<uint8_t> bytes = message_bytes({.type = kError,
                                                      .flags = 5,
                                                      .serial = 0x01020304,
                                                      .reply_serial = 9,
                                                      .unix_fds = 2,
                                                      .path = "/p",
                                                      .interface = "i.f",
                                                      .member = "M",
                                                      .error_name = "e.n",
                                                      .destination = ":1.2",
                                                      .sender = ":1.3",
                                                      .signature = "s",
                                                      .big = big},
                                                     body);
    Header header;
    REQUIRE(read_header(bytes, header).is_sound());
    CHECK(header.swapped == big);
    CHECK(header.type == kError && header.flags == 5 && header.serial == 0x01020304);
    CHECK(header.reply_serial == 9 && header.unix_fds == 2);
    CHECK(header.path == "/p" && header.interface == "i.f" && header.member == "M" &&
          header.error_name == "e.n");
    CHECK(header.destination == ":1.2" && header.sender == ":1.3" && header.signature == "s");
    CHECK(header.body_length == 6 && header.message_length() == bytes.size());
  }
}

TEST("a message that is not all there is truncated, at every length") {
  Bytes body;
  body.string("text");
  MessageFields fields = kSignalFields;
  fields.signature = "s";
  const std::vector<uint8_t> bytes = message_bytes(fields, body);
  for (size_t length = 0; length < bytes.size(); length++) {
    // Copied, so that the sanitizer sees a read beyond the end.
    const std::vector<uint8_t> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK(rule_of(part) == Rule::kTruncated);
  }
}

TEST("every single corrupt byte is survived") {
  const std::vector<uint8_t> good = message_bytes(kSignalFields);
  for (size_t at = 0; at < good.size(); at++) {
    for (int value = 0; value < 256; value++) {
      std::vector<uint8_t> bytes = good;
      bytes[at] = static_cast<uint8_t>(value);
      Header header;
      if (read_header(bytes, header).is_sound()) CHECK(header.message_length() <= bytes.size());
    }
  }
}

TEST("each fault has its own verdict") {
  std::vector<uint8_t> bytes = message_bytes(kSignalFields);
  const auto with = [&](size_t at, uint8_t value) {
    std::vector<uint8_t> changed = bytes;
    changed[at] = value;
    return rule_of(changed);
  };
  CHECK(with(0, 'x') == Rule::kByteOrder);
  CHECK(with(1, 0) == Rule::kMessageType);
  CHECK(with(3, 2) == Rule::kVersion);
  CHECK(with(8, 0) == Rule::kSerial);
  CHECK(with(7, 0x10) == Rule::kMessageLength);
  CHECK(with(15, 0x10) == Rule::kFieldsLength);
  CHECK(with(16, 0) == Rule::kFieldCode);
  CHECK(with(bytes.size() - 1, 1) == Rule::kHeaderPadding);
}

TEST("a message needs the fields of its type") {
  CHECK(rule_of(message_bytes({.type = kMethodCall, .path = "/"})) == Rule::kMissingField);
  CHECK(rule_of(message_bytes({.type = kMethodCall, .member = "M"})) == Rule::kMissingField);
  CHECK(rule_of(message_bytes({.type = kMethodReturn})) == Rule::kMissingField);
  CHECK(rule_of(message_bytes({.type = kError, .reply_serial = 1})) == Rule::kMissingField);
  CHECK(rule_of(message_bytes({.type = kSignal, .path = "/", .member = "M"})) == Rule::kMissingField);
  CHECK(rule_of(message_bytes({.type = kMethodCall, .path = "/", .member = "M"})) == Rule::kNone);
  // Receivers ignore unknown types, but they must be well-formed.
  CHECK(rule_of(message_bytes({.type = 77})) == Rule::kNone);
}

TEST("a body needs a signature") {
  CHECK(rule_of(message_bytes(kSignalFields, Bytes().u32(1))) == Rule::kSignatureMissing);
}

TEST("the readable fields of an invalid header are read, and the first violated rule is reported") {
  const auto read = [](const std::vector<uint8_t>& bytes, Header& header) {
    Frame frame;
    CHECK(read_frame(bytes, frame).is_sound());
    return parse_header(bytes, frame, header);
  };
  Bytes fields;
  fields.u8(0).signature("s").string("no code").align(8);
  fields.u8(1).signature("s").string("/no/path").align(8);
  fields.u8(3).signature("s").string("M").align(8);
  fields.u8(3).signature("s").string("Again").align(8);
  fields.u8(7).signature("s").string(":1.2").align(8);
  fields.u8(9).signature("u").u32(3);
  std::vector<uint8_t> bytes = message_bytes({.type = 77, .serial = 5});
  bytes[12] = static_cast<uint8_t>(fields.bytes.size());
  bytes.insert(bytes.end(), fields.bytes.begin(), fields.bytes.end());
  while (bytes.size() % 8 != 0) bytes.push_back(0);
  Header header;
  CHECK(read(bytes, header).rule == Rule::kFieldCode);
  CHECK(header.member == "M" && header.sender == ":1.2" && header.unix_fds == 3 && header.path.empty());
  CHECK(header.is_whole && header.is_addressed);
  // Where a field is that ends outside, nothing is known of what would come behind it.
  bytes[16 + 4] = 200;
  CHECK(read(bytes, header).rule == Rule::kFieldCode && !header.is_whole && !header.is_addressed);
}

TEST("a header costs time in proportion to its bytes, whatever fields it is made of") {
  const auto steps_of = [](size_t count, auto write, bool big) {
    Bytes fields(big);
    for (size_t i = 0; i < count; i++) {
      fields.align(8);
      write(fields);
    }
    std::vector<uint8_t> bytes = message_bytes({.type = 77, .big = big});
    const uint32_t length = static_cast<uint32_t>(fields.bytes.size());
    for (size_t i = 0; i < 4; i++) bytes[12 + i] = static_cast<uint8_t>(length >> 8 * (big ? 3 - i : i));
    bytes.insert(bytes.end(), fields.bytes.begin(), fields.bytes.end());
    while (bytes.size() % 8 != 0) bytes.push_back(0);
    Frame frame;
    Header header;
    CHECK(read_frame(bytes, frame).is_sound());
    const std::vector<uint8_t> before = bytes;
    const uint64_t steps = steps_taken;
    CHECK(parse_header(bytes, frame, header).is_sound());
    CHECK(bytes == before);
    const uint64_t taken = steps_taken - steps;
    CHECK(taken <= bytes.size() * 12 + 2048);
    return taken;
  };
  const auto check = [&](auto write) {
    for (const bool big : {false, true}) {
      const uint64_t few = steps_of(4'000, write, big), many = steps_of(32'000, write, big);
      CHECK(few > 0 && many <= few * 8 + 64);
    }
  };
  check([](Bytes& b) { b.u8(77).signature("y").u8(1); });
  check([](Bytes& b) { b.u8(200).signature("a(yv)").u32(0).align(8); });
  check([](Bytes& b) { b.u8(10).signature("v").signature("v").signature("u").align(4).u32(7); });
  check([](Bytes& b) { b.u8(10).signature("s").string("text"); });
}

TEST("unknown fields are skipped") {
  Bytes field;
  field.u8(200).signature("s").string("whatever");
  std::vector<uint8_t> bytes = message_bytes({.type = 77});
  bytes[12] = static_cast<uint8_t>(field.bytes.size());
  bytes.insert(bytes.end(), field.bytes.begin(), field.bytes.end());
  while (bytes.size() % 8 != 0) bytes.push_back(0);
  CHECK(rule_of(bytes) == Rule::kNone);
}
