// `SocketDescription` of the seam.
#pragma once

#include <napi.h>

namespace busbar {

// What kind of socket a descriptor is, and where it listens; a negative errno where it is none.
Napi::Value socket_value(Napi::Env env, int fd);

}  // namespace busbar
