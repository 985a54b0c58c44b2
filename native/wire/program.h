// A signature, compiled: what the validator does for each type, and where each type ends.
//
// Programs are cached by their signature. A signature that is seen for the first time is compiled into
// memory of the caller's, which takes time in proportion to the signature and allocates nothing; only one
// that is seen again gets a place. So signatures that a peer makes up cost no more than their bytes, and
// evict none that repeats. A program that is being run stays where it is: values nest, and a variant within a
// variant must not replace the program of the one around it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/signature.h"

namespace busbar::wire {

struct Op {
  enum Code : uint8_t {
    // Values of 1, 2, 4 and 8 bytes of which every bit pattern is valid.
    kFixed1,
    kFixed2,
    kFixed4,
    kFixed8,
    kBoolean,
    kFd,
    kString,
    kObjectPath,
    kSignature,
    kVariant,
    // As kFixed8, for a floating-point number.
    kDouble,
    // An array of fixed values; `alignment` is their size.
    kFixedArray,
    kDoubleArray,
    // An array of anything else, whose ops follow; `alignment` is the element's.
    kArray,
    // A struct or dictionary entry, whose members' ops follow.
    kStruct,
    kDictEntry,
  };
  static constexpr size_t kCodes = kDictEntry + 1;

  Code code;
  uint8_t alignment;
  // The number of ops of this type, itself included.
  uint16_t length;
};

// Room for the ops of any signature, which has no more of them than characters.
using ProgramMemory = std::array<Op, kMaxSignatureLength>;

// Compiles into `memory`, and returns the ops; none for an invalid signature, and for an empty one.
std::span<const Op> compile(std::string_view signature, ProgramMemory& memory);

// The op of a basic type or a variant, whose signature is just its code; null for other codes.
const Op* single_op(char code);

class ProgramCache {
 public:
  struct Slot {
    std::string signature;
    std::vector<Op> ops;
    // The number of runs in progress.
    uint32_t runs = 0;
    // The hash of the signature that was compiled last without getting the place.
    uint32_t candidate = 0;
  };

  // The slot of the signature; null if it has none, which it gets where this is the second time that it is
  // asked for, and the slot is free. Null as well for an invalid signature.
  Slot* find(std::string_view signature);

 private:
  static constexpr size_t kSlots = 128;

  std::array<Slot, kSlots> slots_;
};

}  // namespace busbar::wire
