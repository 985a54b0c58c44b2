// Rewrites marshalled values in the other byte order: a second reading of the wire format, which shares no
// code with the validator, and is led by the signature alone.
//
// It goes as far as the bytes do, and judges nothing but bounds. So it serves broken bodies as well: whatever
// a validator looks at before it finds the broken rule has been rewritten by then.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace busbar::fuzz {

class ByteSwap {
 public:
  // Values begin at `at`; `swapped` says that they are not in this machine's order yet.
  ByteSwap(std::span<uint8_t> bytes, size_t at, bool swapped)
      : bytes_(bytes), at_(at), end_(bytes.size()), swapped_(swapped) {}

  // False where the bytes end before the values, or nest too deeply. The signature is valid.
  bool values(std::string_view signature, unsigned depth = 0) {
    while (!signature.empty()) {
      if (!value(signature, depth)) return false;
    }
    return true;
  }

  size_t at() const { return at_; }

 private:
  // Takes one type off the front of `signature`, and its value off the bytes.
  bool value(std::string_view& signature, unsigned depth) {
    const std::string_view type = signature.substr(0, length_of(signature));
    signature.remove_prefix(type.size());
    if (type.empty() || depth > 64) return false;
    uint64_t number;
    switch (type[0]) {
      case 'y':
        return fixed(1, number);
      case 'n':
      case 'q':
        return fixed(2, number);
      case 'b':
      case 'i':
      case 'u':
      case 'h':
        return fixed(4, number);
      case 'x':
      case 't':
      case 'd':
        return fixed(8, number);
      case 's':
      case 'o':
        return fixed(4, number) && skip(static_cast<size_t>(number) + 1);
      case 'g':
        return fixed(1, number) && skip(static_cast<size_t>(number) + 1);
      case 'v':
        return variant(depth);
      case 'a':
        return array(type.substr(1), depth);
      default:
        return align(8) && values(type.substr(1, type.size() - 2), depth + 1);
    }
  }

  // Brackets alone tell where a type of a valid signature ends; of others the end is somewhere within.
  static size_t length_of(std::string_view signature) {
    size_t length = 0, open = 0;
    while (length < signature.size()) {
      const char code = signature[length++];
      if (code == '(' || code == '{') open++;
      if ((code == ')' || code == '}') && open > 0) open--;
      if (open == 0 && code != 'a') break;
    }
    return length;
  }

  bool variant(unsigned depth) {
    uint64_t length;
    if (!fixed(1, length)) return false;
    const size_t begin = at_;
    if (!skip(static_cast<size_t>(length) + 1)) return false;
    return values({reinterpret_cast<const char*>(bytes_.data()) + begin, static_cast<size_t>(length)},
                  depth + 1);
  }

  bool array(std::string_view element, unsigned depth) {
    uint64_t length;
    if (element.empty() || !fixed(4, length) || !align(alignment_of(element[0]))) return false;
    if (length > end_ - at_) return false;
    const size_t end = end_;
    end_ = at_ + static_cast<size_t>(length);
    while (at_ < end_) {
      const size_t begin = at_;
      // Elements of a type that is not valid may take no bytes, and would never end.
      if (!values(element, depth + 1) || at_ == begin) return false;
    }
    end_ = end;
    return true;
  }

  static size_t alignment_of(char code) {
    if (std::string_view("ygv").find(code) != std::string_view::npos) return 1;
    if (std::string_view("nq").find(code) != std::string_view::npos) return 2;
    return std::string_view("xtd({").find(code) != std::string_view::npos ? 8 : 4;
  }

  bool align(size_t alignment) { return skip((alignment - at_ % alignment) % alignment); }

  bool skip(size_t length) {
    if (length > end_ - at_) return false;
    at_ += length;
    return true;
  }

  // The number as it is, whichever way round it is written.
  bool fixed(size_t size, uint64_t& number) {
    if (!align(size) || !skip(size)) return false;
    uint8_t* first = bytes_.data() + at_ - size;
    number = 0;
    if (!swapped_) std::memcpy(&number, first, size);
    std::reverse(first, first + size);
    if (swapped_) std::memcpy(&number, first, size);
    return true;
  }

  std::span<uint8_t> bytes_;
  size_t at_;
  size_t end_;
  bool swapped_;
};

}  // namespace busbar::fuzz
