// Where a socket is bound or connected to: a unix socket by its name, or a numeric TCP address. Node.js looks
// up host names, because that takes time.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string_view>

namespace busbar::transport {

struct SocketAddress {
  sockaddr_storage storage{};
  // 0: none.
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  // Both return 0 or a positive errno. An abstract name begins with a NUL.
  [[nodiscard]] int set_unix(std::string_view name);
  [[nodiscard]] int set_tcp(const char* ip, uint16_t port);
};

// A new socket for an address, which does not block and closes with exec; a negative errno.
int make_socket(const SocketAddress& address);

// Has TCP send each message at once, where it would wait for the acknowledgement of the last one.
void send_at_once(int fd);

}  // namespace busbar::transport
