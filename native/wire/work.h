// How much work checking took, in steps: looks at a value, a character, a field. Counted where native tests
// and fuzz targets are built, which ask that an input takes no more steps than its bytes are worth; elsewhere
// it is nothing.
#pragma once

#include <cstdint>

namespace busbar::wire {

#ifdef BUSBAR_COUNT_STEPS
inline uint64_t steps_taken = 0;
inline void step(uint64_t count = 1) { steps_taken += count; }
#else
inline void step(uint64_t = 1) {}
#endif

}  // namespace busbar::wire
