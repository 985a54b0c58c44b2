// The clock of deadlines and turns.
#pragma once

#include <time.h>

#include <cstdint>

namespace busbar::loop {

// Microseconds of CLOCK_MONOTONIC.
inline uint64_t now_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace busbar::loop
