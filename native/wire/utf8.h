// The rules of D-Bus strings: strict UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF) and no
// NUL. Noncharacters are valid.
#pragma once

#include <cstddef>
#include <cstdint>

namespace busbar::wire {

// `is_ascii` tells whether every character is ASCII, if it is text.
[[nodiscard]] bool is_text(const uint8_t* bytes, size_t length, bool& is_ascii);
[[nodiscard]] inline bool is_text(const uint8_t* bytes, size_t length) {
  bool is_ascii;
  return is_text(bytes, length, is_ascii);
}

}  // namespace busbar::wire
