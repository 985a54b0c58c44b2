// Writes what fuzzing begins with: messages of every type, byte order and kind of value, one file each.
//
//   fuzz_seeds <folder>
#include <filesystem>
#include <fstream>
#include <string>

#include "test/message_bytes.h"

using namespace busbar::test;

namespace {

struct Body {
  std::string_view signature;
  Bytes bytes;
  uint32_t fds = 0;
};

std::vector<Body> bodies(bool big) {
  const auto bytes = [&] { return Bytes(big); };
  return {
      {"", bytes()},
      {"ybnqiu", bytes().u8(1).align(4).u32(1).u16(2).u16(3).u32(4).u32(5)},
      {"xtd", bytes().u64(1).u64(2).f64(1.5)},
      {"sog", bytes().string("h\xc3\xa9").string("/a/b").signature("a{sv}")},
      {"v", bytes().signature("v").signature("as").align(4).u32(6).string("a")},
      {"ay", bytes().u32(3).u8(1).u8(2).u8(3)},
      {"aq", bytes().u32(4).u16(1).u16(2)},
      {"ab", bytes().u32(8).u32(0).u32(1)},
      {"at", bytes().u32(0).align(8)},
      {"a{sv}", bytes().u32(16).align(8).string("k").signature("u").align(4).u32(7)},
      {"(y(ss))", bytes().u8(1).align(8).string("a").string("b")},
      {"aau", bytes().u32(8).u32(4).u32(9)},
      // Half an element, which sd-bus does not mind.
      {"aq", bytes().u32(3).u8(1).u8(2).u8(3)},
      {"hh", bytes().u32(1).u32(0), 2},
      {"ah", bytes().u32(4).u32(0), 1},
  };
}

std::vector<uint8_t> message(uint8_t type, const Body& body, bool big) {
  MessageFields fields{
      .type = type, .serial = 3, .unix_fds = body.fds, .signature = body.signature, .big = big};
  if (type == 1 || type == 4) {
    fields.path = "/a/b";
    fields.interface = "a.b";
    fields.member = "C";
  } else {
    fields.reply_serial = 2;
  }
  if (type == 3) fields.error_name = "a.b.Error";
  if (type == 1) fields.destination = "a.b";
  if (type != 1) fields.sender = ":1.7";
  return message_bytes(fields, body.bytes);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  for (const bool big : {false, true}) {
    size_t index = 0;
    for (const Body& body : bodies(big)) {
      const uint8_t type = static_cast<uint8_t>(1 + index++ % 4);
      const std::vector<uint8_t> bytes = message(type, body, big);
      const std::string name = std::string(big ? "big-" : "little-") + std::to_string(index);
      std::ofstream file(std::filesystem::path(arguments[1]) / name, std::ios::binary);
      file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      if (!file) return 1;
    }
  }
  return 0;
}
