// The argument of `new Connection(options)`: NativeConnectionOptions in src/native/binding.ts, checked.
#pragma once

#include <string>

#include "inbox/inbox.h"
#include "napi/callback.h"
#include "napi/environment_poller.h"
#include "transport/endpoint.h"

namespace busbar {

struct ConnectionOptions {
  transport::Endpoint endpoint;
  // `sd-bus` or `socket`.
  std::string transport;
  PollerKind poller = PollerKind::kUv;
  inbox::Limits limits;
  // Two integers that JavaScript shares with the connection, in its turns: its number, and whether it keeps
  // the event loop alive. Null if there are none.
  int32_t* turn_note = nullptr;
  Reference turn;
  Reference on_open, on_batch, on_drain, on_refused, on_close;

  // Fills in from `object`. On failure a TypeError is pending and false returned.
  [[nodiscard]] bool read(napi_env env, napi_value object);
  // Releases all that belongs to JavaScript.
  void release();
};

}  // namespace busbar
