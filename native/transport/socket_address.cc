// Fills in the socket addresses of the kernel, and makes sockets for them.
#include "transport/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/unique_fd.h"

namespace busbar::transport {

int SocketAddress::set_unix(std::string_view name) {
  sockaddr_un& address = reinterpret_cast<sockaddr_un&>(storage);
  address.sun_family = AF_UNIX;
  if (name.empty()) return ENAMETOOLONG;
  // The length of an abstract name is its own; a path has its NUL counted.
  const size_t path_length = name.size() + (name.front() == '\0' ? 0 : 1);
  if (path_length > sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, name.data(), name.size());
  length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_length);
  return 0;
}

int SocketAddress::set_tcp(const char* ip, uint16_t port) {
  sockaddr_in& v4 = reinterpret_cast<sockaddr_in&>(storage);
  if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    length = sizeof v4;
    return 0;
  }
  sockaddr_in6& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1) return EINVAL;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  length = sizeof v6;
  return 0;
}

int make_socket(const SocketAddress& address) {
  const int fd = ordinary_fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return fd < 0 ? -errno : fd;
}

void send_at_once(int fd) {
  // Fails on unix sockets, which do not need it.
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace busbar::transport
