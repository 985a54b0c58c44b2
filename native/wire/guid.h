// The id of a server: what an address may ask for, and what a server says in the handshake.
#pragma once

#include <array>
#include <cstdint>

namespace busbar::wire {

using Guid = std::array<uint8_t, 16>;

}  // namespace busbar::wire
