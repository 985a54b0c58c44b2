// Checks whole words while the text is ASCII, which nearly all text on D-Bus is, and otherwise one character
// at a time.
#include "wire/utf8.h"

#include <cstring>

namespace busbar::wire {

namespace {

// Whether all bytes are 0x01 to 0x7f. Subtracting 1 from a byte that is 0 borrows, which sets a high bit.
bool is_ascii_word(uint64_t word) { return ((word | (word - 0x0101010101010101)) & 0x8080808080808080) == 0; }

bool is_continuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// The length of the sequence at `at` of more than one byte; 0 if it is not valid. Table 3-7 of the Unicode
// standard: the second byte's range depends on the first.
size_t sequence_length(const uint8_t* at, size_t left) {
  const uint8_t first = at[0];
  if (first < 0xc2 || left < 2) return 0;
  const uint8_t second = at[1];
  if (first < 0xe0) return is_continuation(second) ? 2 : 0;
  if (first < 0xf0) {
    if (left < 3 || !is_continuation(second) || !is_continuation(at[2])) return 0;
    if (first == 0xe0 && second < 0xa0) return 0;
    return first == 0xed && second > 0x9f ? 0 : 3;
  }
  if (first > 0xf4 || left < 4) return 0;
  if (!is_continuation(second) || !is_continuation(at[2]) || !is_continuation(at[3])) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  return first == 0xf4 && second > 0x8f ? 0 : 4;
}

}  // namespace

bool is_text(const uint8_t* bytes, size_t length, bool& is_ascii) {
  size_t at = 0;
  is_ascii = true;
  while (at < length) {
    while (length - at >= 8) {
      uint64_t word;
      std::memcpy(&word, bytes + at, 8);
      if (!is_ascii_word(word)) break;
      at += 8;
    }
    // A word at most, so that the loop above goes on after a few letters of another script.
    const size_t stop = length - at < 8 ? length : at + 8;
    while (at < stop) {
      const uint8_t byte = bytes[at];
      if (byte == 0) return false;
      const size_t step = byte < 0x80 ? 1 : sequence_length(bytes + at, length - at);
      if (step == 0) return false;
      if (step > 1) is_ascii = false;
      at += step;
    }
  }
  return true;
}

}  // namespace busbar::wire
