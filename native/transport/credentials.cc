// Reads the credentials from the options of the socket.
#include "transport/credentials.h"

#include <sys/socket.h>

#include <cerrno>

namespace busbar::transport {

namespace {

// Since Linux 4.13; headers of older C libraries do not have it.
constexpr int kPeerGroups = 59;

std::vector<gid_t> peer_groups(int fd, gid_t primary) {
  std::vector<gid_t> gids{primary};
  std::vector<gid_t> others(64);
  for (;;) {
    socklen_t bytes = static_cast<socklen_t>(others.size() * sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, kPeerGroups, others.data(), &bytes) == 0) {
      others.resize(bytes / sizeof(gid_t));
      break;
    }
    // The kernel says how much room it needs.
    if (errno != ERANGE || bytes / sizeof(gid_t) <= others.size()) return gids;
    others.resize(bytes / sizeof(gid_t));
  }
  for (const gid_t gid : others) {
    if (gid != primary) gids.push_back(gid);
  }
  return gids;
}

std::string security_label(int fd) {
  std::string label(256, '\0');
  for (;;) {
    socklen_t length = static_cast<socklen_t>(label.size());
    if (getsockopt(fd, SOL_SOCKET, SO_PEERSEC, label.data(), &length) == 0) {
      label.resize(length);
      break;
    }
    if (errno != ERANGE || length <= label.size()) return {};
    label.resize(length);
  }
  while (!label.empty() && label.back() == '\0') label.pop_back();
  return label;
}

}  // namespace

std::optional<Credentials> peer_credentials(int fd) {
  int domain = 0;
  socklen_t length = sizeof domain;
  // The kernel would make up an answer for a TCP socket.
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 || domain != AF_UNIX) return std::nullopt;
  ucred credentials{};
  length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return std::nullopt;
  if (credentials.uid == static_cast<uid_t>(-1)) return std::nullopt;
  return Credentials{credentials.uid, credentials.pid, peer_groups(fd, credentials.gid), security_label(fd)};
}

}  // namespace busbar::transport
