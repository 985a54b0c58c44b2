// Wire bytes of one message → a sealed sd_bus_message that sends as the same message.
#pragma once

#include <cstdint>
#include <span>

#include "sdbus/handles.h"
#include "wire/header.h"

namespace busbar::sdbus {

// Builds the message of `header` with `body`, whose `h` values index `fds`; sd-bus duplicates the
// descriptors. Returns 0, or a negative errno when sd-bus refuses something in it.
[[nodiscard]] int build_message(const Api& api, sd_bus* bus, const wire::Header& header,
                                std::span<const uint8_t> body, std::span<const int32_t> fds,
                                Message& message);

}  // namespace busbar::sdbus
