// A datagram to a unix socket, as service managers take notifications (sd_notify(3)).
#pragma once

#include <string_view>

namespace busbar::transport {

// Sends one datagram, and does not wait for room in the queue of the receiver: EAGAIN where it is full. A name
// that begins with a NUL is abstract. Returns 0 or a positive errno.
[[nodiscard]] int send_datagram(std::string_view name, std::string_view bytes);

}  // namespace busbar::transport
