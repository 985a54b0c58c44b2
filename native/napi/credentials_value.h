// `PeerCredentials` of the seam.
#pragma once

#include <napi.h>

namespace busbar {

// Who is at the other end of a socket; undefined where the kernel does not know.
Napi::Value credentials_value(Napi::Env env, int fd);

}  // namespace busbar
