// A socket that waits for peers to connect. Which names are worth listening on, and who may come in, is
// decided above; errors are positive errno values.
#pragma once

#include <cstdint>
#include <string_view>

#include "unique_fd.h"

namespace busbar::transport {

class Listener {
 public:
  // Binds to a unix socket and listens. An abstract name begins with a NUL.
  int open_unix(std::string_view name);
  // Binds to a numeric IPv4 or IPv6 address, on a free port if `port` is 0.
  int open_tcp(const char* ip, uint16_t port);

  // Takes the next peer: a descriptor, or a negative errno, EAGAIN where nobody waits. It does not block,
  // closes with exec, and belongs to the caller.
  int accept();

  int fd() const { return socket_.get(); }
  // The port of a TCP socket, else 0.
  uint16_t port() const;
  void close() { socket_.reset(); }

 private:
  int open(int family, const void* address, size_t length);

  UniqueFd socket_;
};

}  // namespace busbar::transport
