// The version of the seam to TypeScript: SEAM_VERSION in src/native/binding.ts, which takes no addon that
// says another.
#pragma once

namespace busbar {

inline constexpr int kSeamVersion = 7;

}  // namespace busbar
