// The one clock of deadlines and budgets.
#include <time.h>

#include "transport/transport.h"

namespace busbar::transport {

uint64_t monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace busbar::transport
