// Writes messages byte by byte, for tests: independent of the code under test, and able to write wrong ones.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace busbar::test {

class Bytes {
 public:
  explicit Bytes(bool big = false) : big_(big) {}

  Bytes& align(size_t alignment, uint8_t padding = 0) {
    while (bytes.size() % alignment != 0) bytes.push_back(padding);
    return *this;
  }
  Bytes& u8(uint8_t value) {
    bytes.push_back(value);
    return *this;
  }
  Bytes& number(uint64_t value, size_t size) {
    align(size);
    for (size_t i = 0; i < size; i++) {
      bytes.push_back(static_cast<uint8_t>(value >> 8 * (big_ ? size - 1 - i : i)));
    }
    return *this;
  }
  Bytes& u16(uint16_t value) { return number(value, 2); }
  Bytes& u32(uint32_t value) { return number(value, 4); }
  Bytes& u64(uint64_t value) { return number(value, 8); }
  Bytes& f64(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return u64(bits);
  }
  Bytes& raw(std::string_view text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    return *this;
  }
  Bytes& string(std::string_view text) { return u32(static_cast<uint32_t>(text.size())).raw(text).u8(0); }
  Bytes& signature(std::string_view text) { return u8(static_cast<uint8_t>(text.size())).raw(text).u8(0); }
  Bytes& add(const Bytes& other) {
    bytes.insert(bytes.end(), other.bytes.begin(), other.bytes.end());
    return *this;
  }

  std::vector<uint8_t> bytes;

 private:
  bool big_;
};

struct MessageFields {
  uint8_t type = 1;
  uint8_t flags = 0;
  uint32_t serial = 1;
  uint32_t reply_serial = 0;
  uint32_t unix_fds = 0;
  std::string_view path = {}, interface = {}, member = {}, error_name = {}, destination = {}, sender = {};
  std::string_view signature = {};
  bool big = false;
};

inline std::vector<uint8_t> message_bytes(const MessageFields& fields, const Bytes& body = Bytes()) {
  Bytes header(fields.big);
  const auto text = [&](uint8_t code, char type, std::string_view value) {
    if (value.empty()) return;
    header.align(8).u8(code).signature(std::string_view(&type, 1));
    if (type == 'g') {
      header.signature(value);
    } else {
      header.string(value);
    }
  };
  const auto number = [&](uint8_t code, uint32_t value) {
    if (value != 0) header.align(8).u8(code).signature("u").u32(value);
  };
  header.u8(fields.big ? 'B' : 'l').u8(fields.type).u8(fields.flags).u8(1);
  header.u32(static_cast<uint32_t>(body.bytes.size())).u32(fields.serial).u32(0);
  text(1, 'o', fields.path);
  text(2, 's', fields.interface);
  text(3, 's', fields.member);
  text(4, 's', fields.error_name);
  number(5, fields.reply_serial);
  text(6, 's', fields.destination);
  text(7, 's', fields.sender);
  text(8, 'g', fields.signature);
  number(9, fields.unix_fds);
  const uint32_t length = static_cast<uint32_t>(header.bytes.size() - 16);
  for (size_t i = 0; i < 4; i++)
    header.bytes[12 + i] = static_cast<uint8_t>(length >> 8 * (fields.big ? 3 - i : i));
  return header.align(8).add(body).bytes;
}

}  // namespace busbar::test
