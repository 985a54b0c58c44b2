// A signature, compiled: what the validator does for each type, and where each type ends.
//
// Programs are cached by their signature. A program that is being run stays where it is: values nest, and a
// variant within a variant must not replace the program of the one around it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
    // An array of fixed values; `alignment` is their size.
    kFixedArray,
    // An array of anything else, whose ops follow; `alignment` is the element's.
    kArray,
    // A struct or dictionary entry, whose members' ops follow.
    kStruct,
  };

  Code code;
  uint8_t alignment;
  // The number of ops of this type, itself included.
  uint16_t length;
};

class Program {
 public:
  // False, and of no use, if `signature` is not valid.
  [[nodiscard]] bool compile(std::string_view signature);

  std::span<const Op> ops() const { return ops_; }

 private:
  // Returns what is left of the signature. The signature is valid.
  std::string_view compile_type(std::string_view signature);

  std::vector<Op> ops_;
};

// The op of a basic type or a variant, whose signature is just its code; null for other codes.
const Op* single_op(char code);

class ProgramCache {
 public:
  struct Slot {
    std::string signature;
    Program program;
    // How many runs of it are going on.
    uint32_t runs = 0;
  };

  // The slot of the signature, compiled; null if the signature is not valid, or its slot is occupied by a
  // running program. `is_occupied` tells the two apart.
  Slot* find(std::string_view signature, bool& is_occupied);

 private:
  static constexpr size_t kSlots = 128;

  std::array<Slot, kSlots> slots_;
};

}  // namespace busbar::wire
