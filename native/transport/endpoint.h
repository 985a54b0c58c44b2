// The other end of a new connection: a server to connect to, or a socket that is already connected.
#pragma once

#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "transport/socket_address.h"
#include "wire/guid.h"

namespace busbar::transport {

// What this end of a connected socket has to do before messages can be sent.
enum class Role {
  // It answers the lines of a client.
  kServer,
  // It sends the lines of a client.
  kClient,
  // Nothing: both ends agree already.
  kNone,
};

struct Endpoint {
  // One server address, for sd-bus; not looked at if there is a socket, or a target.
  std::string address{};
  // A server to connect to without sd-bus; of no length if there is none.
  SocketAddress target{};
  // A connected socket, and what this connection does with it first.
  UniqueFd socket{};
  Role role = Role::kServer;
  // The id that a server gives its clients, or the one that a client asks of the server: any server will do
  // if there is none.
  std::optional<wire::Guid> guid{};
  // Whether the server is a bus, and no peer: clients authenticate to them in different orders.
  bool is_bus = false;
  // As a client: authenticate without an identity. As a server: let such clients in.
  bool anonymous = false;
};

}  // namespace busbar::transport
