// What a connection is made of: a server to connect to, or a client that was accepted.
#pragma once

#include <string>

#include "sdbus/api.h"
#include "unique_fd.h"

namespace busbar::transport {

struct Endpoint {
  // One server address; not looked at if there is a socket.
  std::string address{};
  // An accepted socket, of which this connection is the server's end.
  UniqueFd socket{};
  // What the server tells its clients that it is.
  sd_id128 guid{};
  // As a client: authenticate without saying who one is. As a server: let such clients in.
  bool anonymous = false;
};

}  // namespace busbar::transport
