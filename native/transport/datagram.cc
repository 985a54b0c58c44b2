// Makes a socket for each datagram: a service manager gets a few in the life of a process.
#include "transport/datagram.h"

#include <sys/socket.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "transport/socket_address.h"

namespace busbar::transport {

int send_datagram(std::string_view name, std::string_view bytes) {
  SocketAddress address;
  const int r = address.set_unix(name);
  if (r != 0) return r;
  const UniqueFd fd(ordinary_fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  if (!fd) return errno;
  const ssize_t sent =
      ::sendto(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, address.get(), address.length);
  return sent < 0 ? errno : 0;
}

}  // namespace busbar::transport
