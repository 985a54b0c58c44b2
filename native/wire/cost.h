// What the values of a body take in memory once JavaScript has decoded them: what the validator adds up, so
// that a small message that would become a large one is refused before a value of it is made.
//
// The figures are bytes beyond those of the body, and were measured in V8 (Node.js 20 and 22, 64 bits, no
// compressed pointers) by `bench/decoded-size/measure.ts`; each is the largest of what it prints for its
// kind, rounded up. `test/unit/decoded-size.test.ts` holds the sum against the heap.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "wire/program.h"

namespace busbar::wire {

// A place in an array that grows by half.
inline constexpr uint32_t kSlotCost = 12;
// A number that is no small integer has a place on the heap.
inline constexpr uint32_t kNumberCost = kSlotCost + 16;
inline constexpr uint32_t kBigintCost = kSlotCost + 24;
// A string of its own, or a part of a longer one.
inline constexpr uint32_t kStringCost = 40;
// An object of class Variant and its signature.
inline constexpr uint32_t kVariantCost = 64;
// An array, and the 17 places that the first element makes room for.
inline constexpr uint32_t kArrayCost = 48;
inline constexpr uint32_t kFirstElementCost = 144;
// The arrays of numbers know their length beforehand.
inline constexpr uint32_t kNumberArrayCost = 64;
inline constexpr uint32_t kBytesCost = 320;
inline constexpr uint32_t kObjectCost = 64;
// With the hidden classes that objects of distinct keys make.
inline constexpr uint32_t kObjectEntryCost = 96;
inline constexpr uint32_t kMapCost = 232;
inline constexpr uint32_t kMapEntryCost = 56;
// An object of class FileDescriptor, once for each descriptor that came.
inline constexpr uint32_t kFdCost = 512;

// How far beyond the last one an array index may go for V8 to keep values in an array (JSObject::kMaxGap).
inline constexpr uint32_t kIndexGap = 1024;

// An element of an array of numbers, by what it takes on the wire.
constexpr uint32_t number_element_cost(size_t size) {
  switch (size) {
    case 2:
      return 8;
    case 4:
      return 4;
    default:
      return kBigintCost;
  }
}

// What a value costs by its op, without what it contains.
inline constexpr std::array<uint32_t, Op::kCodes> kValueCosts = [] {
  std::array<uint32_t, Op::kCodes> costs{};
  costs[Op::kFixed1] = costs[Op::kFixed2] = costs[Op::kBoolean] = costs[Op::kFd] = kSlotCost;
  costs[Op::kFixed4] = costs[Op::kDouble] = kNumberCost;
  costs[Op::kFixed8] = kBigintCost;
  costs[Op::kString] = costs[Op::kObjectPath] = costs[Op::kSignature] = kStringCost;
  costs[Op::kVariant] = kVariantCost;
  // What it is depends on its elements: see `array`.
  costs[Op::kArray] = costs[Op::kFixedArray] = costs[Op::kDoubleArray] = kSlotCost;
  costs[Op::kStruct] = kSlotCost + kArrayCost + kFirstElementCost;
  // Which entry it is depends on its key.
  costs[Op::kDictEntry] = 0;
  return costs;
}();

// What it costs an object, beyond its entry, that a key of it is an array index as JavaScript understands it:
// V8 keeps values by index in an array as long as the largest. `indices` is how long the keys so far have
// made it.
uint64_t index_cost(std::string_view key, uint32_t& indices);

}  // namespace busbar::wire
