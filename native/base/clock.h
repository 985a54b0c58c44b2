// The clock of all deadlines and time budgets, so that each can be compared with the others.
#pragma once

#include <cstdint>

namespace busbar {

// The deadline of what waits for no time.
inline constexpr uint64_t kNoDeadline = UINT64_MAX;

// Microseconds of CLOCK_MONOTONIC.
uint64_t monotonic_now();

}  // namespace busbar
