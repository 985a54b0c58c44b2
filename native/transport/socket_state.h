// The state of a socket at this moment, without reading from it.
#pragma once

namespace busbar::transport {

// Whether there is something to read or to accept, the end of the stream included.
bool is_readable(int fd);
// Whether the kernel takes something to write.
bool is_writable(int fd);
// Whether the other side has hung up, or will say nothing more. Where the socket is gone, it has.
bool has_hung_up(int fd);

}  // namespace busbar::transport
