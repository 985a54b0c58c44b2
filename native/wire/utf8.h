// Strings as D-Bus wants them: strict UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF) and
// no NUL. Noncharacters are valid.
#pragma once

#include <cstddef>
#include <cstdint>

namespace busbar::wire {

[[nodiscard]] bool is_text(const uint8_t* bytes, size_t length);

}  // namespace busbar::wire
