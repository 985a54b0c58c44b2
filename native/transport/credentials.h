// The credentials of the process at the other end of a socket, as the kernel knows them: the process that
// connected, or that listened.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace busbar::transport {

struct Credentials {
  uid_t uid;
  // 0 for a process of a PID namespace that cannot be seen from here.
  pid_t pid;
  // The primary group and the supplementary ones; the primary alone where the kernel does not tell more.
  std::vector<gid_t> gids;
  // Of the security module, without a closing NUL; empty where there is none.
  std::string security_label;
};

// None where it is not a unix socket, and before it is connected.
std::optional<Credentials> peer_credentials(int fd);

}  // namespace busbar::transport
