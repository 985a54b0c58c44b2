// Refuses what is sent where there is no stream: the connection is not open yet, or not any more.
#include "transport/connector.h"

#include <algorithm>
#include <cerrno>

#include "wire/header.h"

namespace busbar::transport {

void Connector::send(std::span<const uint8_t> bytes, std::span<const int32_t>,
                     std::vector<Refusal>& refused) {
  wire::Header header;
  while (!bytes.empty() && wire::read_header(bytes, header).is_sound()) {
    refused.push_back({header.serial, ENOTCONN});
    bytes = bytes.subspan(std::min(bytes.size(), (header.message_length() + 7) & ~size_t{7}));
  }
}

}  // namespace busbar::transport
