// What a connection is made of: a server to connect to, or a client that was accepted.
#pragma once

#include <string>

#include "sdbus/api.h"
#include "transport/socket_address.h"
#include "unique_fd.h"

namespace busbar::transport {

struct Endpoint {
  // One server address, for sd-bus; not looked at if there is a socket, or a target.
  std::string address{};
  // A server to connect to without sd-bus; of no length if there is none.
  SocketAddress target{};
  // An accepted socket, of which this connection is the server's end.
  UniqueFd socket{};
  // What the server tells its clients that it is; what it has to be for a client with a target, if
  // there is one: all zeros is one, too.
  sd_id128 guid{};
  bool has_guid = false;
  // Whether the target is a bus, and no peer: they are talked to in different ways.
  bool is_bus = false;
  // As a client: authenticate without saying who one is. As a server: let such clients in.
  bool anonymous = false;
};

}  // namespace busbar::transport
