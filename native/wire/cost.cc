// Adds what keys of objects cost that JavaScript takes for array indices.
#include "wire/cost.h"

#include <algorithm>
#include <optional>

namespace busbar::wire {

namespace {

// The number that a key is as an array index; none if it is not one.
std::optional<uint32_t> array_index(std::string_view key) {
  if (key.empty() || key.size() > 10 || (key[0] == '0' && key.size() > 1)) return std::nullopt;
  uint64_t value = 0;
  for (const char c : key) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value < UINT32_MAX ? std::optional(static_cast<uint32_t>(value)) : std::nullopt;
}

}  // namespace

uint64_t index_cost(std::string_view key, uint32_t& indices) {
  const std::optional<uint32_t> index = array_index(key);
  if (!index || *index < indices) return 0;
  const uint32_t most = *index < kUncheckedIndices ? kIndexGap : kPlacesForOne;
  const uint32_t places = std::min(*index - indices + 1, most);
  indices = *index + 1;
  return uint64_t{places} * kSlotCost;
}

}  // namespace busbar::wire
