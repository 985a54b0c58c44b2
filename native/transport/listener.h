// A socket that waits for peers to connect. TypeScript decides which addresses to listen on, and which
// clients may connect. Errors are positive errno values.
#pragma once

#include <cstdint>

#include "base/unique_fd.h"
#include "transport/socket_address.h"

namespace busbar::transport {

class Listener {
 public:
  // Binds and listens; to a free port where that of a TCP address is 0.
  int open(const SocketAddress& address);
  // Takes a socket that listens already, and owns it.
  void adopt(int fd);

  // Accepts the next client: a descriptor, or a negative errno, EAGAIN where no client waits. The descriptor
  // does not block, closes with exec, and belongs to the caller.
  int accept();

  int fd() const { return socket_.get(); }
  // The port of a TCP socket, else 0.
  uint16_t port() const;
  void close() { socket_.reset(); }

 private:
  UniqueFd socket_;
};

}  // namespace busbar::transport
