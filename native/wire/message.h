// The whole check of a message in one call: what a transport does step by step, without its caches. For
// fuzzing, and for comparing verdicts with those of other implementations.
#pragma once

#include <cstdint>
#include <span>

#include "wire/header.h"
#include "wire/rule.h"

namespace busbar::wire {

struct [[nodiscard]] MessageVerdict {
  enum class Part { kFrame, kHeader, kBody };

  Part part = Part::kFrame;
  // The offset counts from the beginning of the message, or of the body if that is the part.
  Verdict verdict;
  // Where the next message begins; 0 if the frame is broken or the message not complete.
  size_t length = 0;

  bool is_sound() const { return verdict.is_sound(); }
};

// Checks the message that `bytes` begin with. A body in the other byte order is rewritten in this machine's.
MessageVerdict check_message(std::span<uint8_t> bytes);

}  // namespace busbar::wire
