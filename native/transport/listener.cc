// The system calls behind Listener.
#include "transport/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace busbar::transport {

namespace {

// Sockets that others may use after us at once, instead of when the kernel has forgotten the last connection.
constexpr int kOn = 1;

}  // namespace

int Listener::open_unix(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, name.data(), name.size());
  // The length of an abstract name is its own; a path has its NUL counted.
  const size_t path_length = name.size() + (name.front() == '\0' ? 0 : 1);
  return open(AF_UNIX, &address, offsetof(sockaddr_un, sun_path) + path_length);
}

int Listener::open_tcp(const char* ip, uint16_t port) {
  sockaddr_in v4{};
  if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return open(AF_INET, &v4, sizeof v4);
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1) return EINVAL;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  return open(AF_INET6, &v6, sizeof v6);
}

int Listener::open(int family, const void* address, size_t length) {
  UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno;
  if (family != AF_UNIX) setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  if (bind(socket.get(), static_cast<const sockaddr*>(address), static_cast<socklen_t>(length)) != 0)
    return errno;
  if (listen(socket.get(), SOMAXCONN) != 0) return errno;
  socket_ = std::move(socket);
  return 0;
}

int Listener::accept() {
  const int fd = ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return -errno;
  // Fails on unix sockets, which need it not: a message must not wait for the acknowledgement of the last
  // one.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
  return fd;
}

uint16_t Listener::port() const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  return 0;
}

}  // namespace busbar::transport
