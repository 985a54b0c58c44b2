// What a connector makes a connection of: a server to connect to, or a client that was accepted.
#pragma once

#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "transport/socket_address.h"
#include "wire/guid.h"

namespace busbar::transport {

struct Endpoint {
  // One server address, for sd-bus; not looked at if there is a socket, or a target.
  std::string address{};
  // A server to connect to without sd-bus; of no length if there is none.
  SocketAddress target{};
  // An accepted socket, of which this connection is the server's end.
  UniqueFd socket{};
  // The id that a server gives its clients, or the one that a client with a target asks of the server: any
  // server will do if there is none.
  std::optional<wire::Guid> guid{};
  // Whether the target is a bus, and no peer: clients authenticate to them in different orders.
  bool is_bus = false;
  // As a client: authenticate without an identity. As a server: let such clients in.
  bool anonymous = false;
};

}  // namespace busbar::transport
