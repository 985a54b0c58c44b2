// Common parts of the fuzz targets: properties that must hold, and choices that the input makes.
//
// A target is more than "it does not crash": it says what is true for every input, and aborts where it is
// not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "wire/work.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// The missing requirement of a target that cannot run here, or null.
extern "C" __attribute__((weak)) const char* busbar_fuzz_lacks();

namespace busbar::fuzz {

[[noreturn]] inline void broken(const char* file, int line, const char* property) {
  std::fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, property);
  std::abort();
}

// Numbers from a seed that the input brings. What they choose does not depend on the bytes under test, so
// that a change of those leaves the choices as they were.
class Choices {
 public:
  explicit Choices(uint32_t seed) : state_(seed * 2654435761u + 1) {}

  // Less than `bound`, which is not 0.
  size_t below(size_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    if (state_ == 0) state_ = 1;
    return state_ % bound;
  }

 private:
  uint32_t state_;
};

// The steps that what follows takes: no more than a constant times the bytes that it is given, or a small
// input would hold the event loop.
class Work {
 public:
  bool is_within(size_t bytes) const {
    return wire::steps_taken - before_ <= kStepsPerByte * bytes + kStepsAlways;
  }

 private:
  // The most that a byte is worth: a struct in 31 others, whose members are a byte, takes 8 bytes as an
  // element of an array, and each character of a signature is looked at by the grammar, the hash and the
  // compiler.
  static constexpr uint64_t kStepsPerByte = 12;
  // A body has a signature of up to 255 characters, whatever its own length.
  static constexpr uint64_t kStepsAlways = 2048;

  const uint64_t before_ = wire::steps_taken;
};

// Takes one byte off the front; 0 where nothing is left.
inline uint8_t take_byte(std::span<const uint8_t>& input) {
  if (input.empty()) return 0;
  const uint8_t byte = input[0];
  input = input.subspan(1);
  return byte;
}

// On the heap and of exactly that size, so that AddressSanitizer sees every step beyond it.
inline std::vector<uint8_t> copy_of(std::span<const uint8_t> bytes) {
  std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  copy.shrink_to_fit();
  return copy;
}

}  // namespace busbar::fuzz

#define HOLDS(property) \
  if (!(property)) busbar::fuzz::broken(__FILE__, __LINE__, #property)
