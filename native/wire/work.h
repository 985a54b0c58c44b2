// Counts the work of checking in steps: one for each look at a value, a character or a field. It is counted
// in native tests and fuzz targets, which check that an input takes no more steps than its bytes are worth;
// elsewhere the count costs nothing.
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
