// Checks bodies against their signature, every byte of them: what TypeScript decodes is sound.
//
// Bytes in the other byte order are rewritten in this machine's on the way, in place: after a sound verdict
// the body is in native order. An invalid body is rewritten in part, and must not be used.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "wire/program.h"
#include "wire/rule.h"

namespace busbar::wire {

// The limits of a body.
struct Allowance {
  // Descriptors that came with the message.
  uint32_t fd_count = 0;
  // The limit of the cost of the decoded values: see wire/cost.h.
  uint64_t decoded_size = UINT64_MAX;
};

class Validator {
 public:
  // Whether `body` consists of the values of `signature`, and is within the allowance. Alignment counts from
  // the beginning of `body`. Takes time in proportion to the bytes.
  Verdict validate(std::string_view signature, std::span<uint8_t> body, bool swapped, Allowance allowance);
  Verdict validate(std::string_view signature, std::span<uint8_t> body, bool swapped, uint32_t fd_count) {
    return validate(signature, body, swapped, Allowance{.fd_count = fd_count});
  }

  // The cost of the values of the last body, up to the place where the walk ended.
  uint64_t cost() const { return cost_; }

 private:
  ProgramCache programs_;
  uint64_t cost_ = 0;
};

// Checks one value of a single complete type that begins at `at` of `bytes`, and moves `at` behind it.
// Changes no byte, in whatever order they are.
Verdict check_value(std::string_view type, std::span<const uint8_t> bytes, size_t& at, bool swapped);

}  // namespace busbar::wire
