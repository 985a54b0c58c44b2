// A cursor over marshalled bytes: every step checks the bounds, and padding must be zero.
//
// The reader borrows the bytes. Alignment counts from their beginning, which is therefore the beginning of a
// message or of a body. After a step returned false the reader is of no further use.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace busbar::wire {

class Reader {
 public:
  // `swapped`: the bytes are in the byte order that is not this machine's.
  explicit Reader(std::span<const uint8_t> bytes, bool swapped = false) : bytes_(bytes), swapped_(swapped) {}

  size_t offset() const { return offset_; }
  size_t left() const { return bytes_.size() - offset_; }

  [[nodiscard]] bool align(size_t alignment) {
    const size_t padding = (alignment - offset_ % alignment) % alignment;
    if (padding > left()) return false;
    for (size_t i = 0; i < padding; i++) {
      if (bytes_[offset_ + i] != 0) return false;
    }
    offset_ += padding;
    return true;
  }

  [[nodiscard]] bool take(size_t length, const uint8_t*& at) {
    if (length > left()) return false;
    at = bytes_.data() + offset_;
    offset_ += length;
    return true;
  }

  [[nodiscard]] bool byte(uint8_t& value) {
    if (left() == 0) return false;
    value = bytes_[offset_++];
    return true;
  }

  [[nodiscard]] bool uint32(uint32_t& value) {
    const uint8_t* at;
    if (!align(4) || !take(4, at)) return false;
    std::memcpy(&value, at, 4);
    if (swapped_) value = __builtin_bswap32(value);
    return true;
  }

  // A string or object path: length, bytes, NUL. The view's data are NUL-terminated, and hold no other NUL.
  [[nodiscard]] bool string(std::string_view& value) {
    uint32_t length;
    return uint32(length) && terminated(length, value);
  }

  // A signature: as a string, but with a length of one byte. Does not check the grammar.
  [[nodiscard]] bool signature(std::string_view& value) {
    uint8_t length;
    return byte(length) && terminated(length, value);
  }

 private:
  bool terminated(uint32_t length, std::string_view& value) {
    // Compared without adding, which could overflow where size_t has 32 bits.
    if (left() == 0 || length > left() - 1) return false;
    const uint8_t* at;
    if (!take(size_t{length} + 1, at) || at[length] != 0 || std::memchr(at, 0, length) != nullptr)
      return false;
    value = {reinterpret_cast<const char*>(at), length};
    return true;
  }

  std::span<const uint8_t> bytes_;
  size_t offset_ = 0;
  bool swapped_;
};

}  // namespace busbar::wire
