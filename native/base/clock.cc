// Reads CLOCK_MONOTONIC, which no change of the system's date moves.
#include "base/clock.h"

#include <time.h>

namespace busbar {

uint64_t monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace busbar
