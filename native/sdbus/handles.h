// Owners of sd-bus's objects. Each releases one reference, through the table the object came from.
#pragma once

#include <memory>

#include "sdbus/api.h"

namespace busbar::sdbus {

struct MessageDeleter {
  const Api* api = nullptr;
  void operator()(sd_bus_message* message) const { api->sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageDeleter>;

// Closing drops what is queued and closes the socket at once: releasing never blocks.
struct BusDeleter {
  const Api* api = nullptr;
  void operator()(sd_bus* bus) const {
    api->sd_bus_close(bus);
    api->sd_bus_unref(bus);
  }
};
using BusHandle = std::unique_ptr<sd_bus, BusDeleter>;

inline Message own(const Api& api, sd_bus_message* message) { return Message(message, MessageDeleter{&api}); }

}  // namespace busbar::sdbus
