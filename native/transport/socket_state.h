// The state of a socket, without reading from it: at this moment, or when the other side has read.
#pragma once

#include <cstdint>

namespace busbar::transport {

// Whether there is something to read or to accept, the end of the stream included.
bool is_readable(int fd);
// Whether the kernel takes something to write.
bool is_writable(int fd);
// Whether the other side has hung up, or will say nothing more. Where the socket is gone, it has.
bool has_hung_up(int fd);
// Whether the other side may not have read everything that was written. Of a TCP socket it is not known.
bool may_be_unread(int fd);
// Waits until the other side has read everything that was written, or until this time on the clock of
// `monotonic_now`; returns whether it has. Of a TCP socket the kernel knows only what has arrived.
bool await_read(int fd, uint64_t stop_at);
// Says that nothing more will be written: the other side finds the end behind what it has not read.
void end_writing(int fd);

}  // namespace busbar::transport
