// Checks bodies against their signature, every byte of them: what TypeScript decodes is sound.
//
// Bytes in the other byte order are rewritten in this machine's on the way, in place: after a sound verdict
// the body is in native order. (A broken one is left half-way, and is of no use.)
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "wire/program.h"
#include "wire/rule.h"

namespace busbar::wire {

class Validator {
 public:
  // Whether `body` consists of the values of `signature`, which came with `fd_count` descriptors. Alignment
  // counts from the beginning of `body`.
  Verdict validate(std::string_view signature, std::span<uint8_t> body, bool swapped, uint32_t fd_count);

  // As above for one value of a single complete type, which begins at `at` of `bytes` and moves it behind
  // itself.
  Verdict validate_value(std::string_view type, std::span<uint8_t> bytes, size_t& at, bool swapped);

 private:
  ProgramCache programs_;
};

}  // namespace busbar::wire
