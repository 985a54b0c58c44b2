// How much memory the values of a body take once JavaScript has decoded them. The validator adds it up, so
// that a small message with large values is refused before one of them is made.
//
// The figures are bytes beyond those of the body, and were measured in V8 (Node.js 20, 64 bits, no
// compressed pointers) and JavaScriptCore (Bun 1.4) by `bench/decoded-size/measure.ts`; each is the largest
// of what it prints for its kind in either engine, rounded up. `test/bus/decoded-size.test.ts` holds the sum
// against the heap.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "wire/program.h"

namespace busbar::wire {

// A place in an array that grows by half.
inline constexpr uint32_t kSlotCost = 12;
// A number that is not a small integer has a place on the heap.
inline constexpr uint32_t kNumberCost = kSlotCost + 16;
inline constexpr uint32_t kBigintCost = kSlotCost + 24;
// A string of its own, or a part of a longer one.
inline constexpr uint32_t kStringCost = 40;
// An object of class Variant and its signature.
inline constexpr uint32_t kVariantCost = 64;
// An array, and the 17 places that the first element makes room for.
inline constexpr uint32_t kArrayCost = 48;
inline constexpr uint32_t kFirstElementCost = 144;
inline constexpr uint32_t kNumberArrayCost = 64;
inline constexpr uint32_t kBytesCost = 320;
inline constexpr uint32_t kObjectCost = 64;
// With the hidden classes that objects of distinct keys make.
inline constexpr uint32_t kObjectEntryCost = 96;
inline constexpr uint32_t kMapCost = 232;
// JavaScriptCore makes room for four times as many entries whenever a map is full; V8 needs 56.
inline constexpr uint32_t kMapEntryCost = 160;
// An object of class FileDescriptor, once for each descriptor that came.
inline constexpr uint32_t kFdCost = 512;

// V8 keeps values by array index in an array where an index goes less than 1024 beyond it (JSObject::kMaxGap)
// and the array stays below 5000 places (kMaxUncheckedFastElementsLength), which one for index 3323 has.
// Further ones are kept so only where many of the places are used: no more than 36 places for one.
inline constexpr uint32_t kIndexGap = 1024;
inline constexpr uint32_t kUncheckedIndices = 3323;
inline constexpr uint32_t kPlacesForOne = 36;

// An array of `count` values of `size` bytes of which every bit pattern is valid: a Buffer of bytes, a list
// of others.
constexpr uint64_t number_array_cost(size_t size, bool is_double, size_t count) {
  if (size == 1) return kBytesCost;
  // Their length is known before they are filled.
  if (is_double) return kNumberArrayCost;
  if (size == 4) return kNumberArrayCost + uint64_t{count} * 4;
  const uint64_t places = count > 0 ? kArrayCost + kFirstElementCost : kArrayCost;
  return places + uint64_t{count} * (size == 2 ? kSlotCost : kBigintCost);
}

// The cost of a value by its op, without its contents.
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
