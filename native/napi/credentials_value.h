// `PeerCredentials` of the seam.
#pragma once

#include <napi.h>

namespace busbar {

// The credentials of the process at the other end of a socket; undefined where the kernel does not know.
Napi::Value credentials_value(Napi::Env env, int fd);

}  // namespace busbar
