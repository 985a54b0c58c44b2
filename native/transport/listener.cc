// Binds, listens and accepts, without blocking.
#include "transport/listener.h"

#include <netinet/in.h>

#include <cerrno>

namespace busbar::transport {

namespace {

// How many clients may wait to be accepted, if the kernel's own limit is not lower. Not SOMAXCONN: it is
// still the 128 of old kernels in musl.
constexpr int kBacklog = 4096;

}  // namespace

int Listener::open(const SocketAddress& address) {
  const int fd = make_socket(address);
  if (fd < 0) return -fd;
  UniqueFd socket(fd);
  // Lets the port be used again at once, instead of when the kernel has forgotten the last connection.
  const int on = 1;
  if (address.family() != AF_UNIX) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, address.get(), address.length) != 0) return errno;
  if (listen(fd, kBacklog) != 0) return errno;
  socket_ = std::move(socket);
  return 0;
}

void Listener::adopt(int fd) {
  socket_.reset(fd);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  // Accepting must not block, not even where another process has accepted the client meanwhile.
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int Listener::accept() {
  const int fd = ordinary_fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd < 0) return -errno;
  send_at_once(fd);
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
