// Received sd_bus_message → a row of the inbox, with strings, body and descriptors.
#pragma once

#include "inbox/inbox.h"
#include "sdbus/api.h"

namespace busbar::sdbus {

enum class Stored {
  kStored,
  // Of a type that the specification says to ignore.
  kIgnored,
  // It does not fit what is left of the batch: deliver, clear, and store it again.
  kBatchFull,
};

// Copies `message` into `inbox`, which must not be full. A message too large for an empty inbox gets a body
// of its own; a body that cannot be delivered at all leaves a row with a fault.
[[nodiscard]] Stored store_message(const Api& api, sd_bus_message* message, inbox::Inbox& inbox);

// The bytes that the body of `message` takes once it is stored, as far as it can be read.
size_t body_length(const Api& api, sd_bus_message* message);

}  // namespace busbar::sdbus
