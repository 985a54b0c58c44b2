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
  // Views into the buffers below, once they are lent. Only `memory` is used; the references keep the buffers.
  inbox::InboxMemory memory;
  inbox::Limits limits;
  Reference arena, rows, strings, fds;
  Reference on_open, on_batch, on_drain, on_refused, on_close;

  // Fills in from `object`. On failure a TypeError is pending and false returned.
  [[nodiscard]] bool read(napi_env env, napi_value object);
  // Takes the memory that `onOpen` returned. On failure a TypeError is pending and false returned.
  [[nodiscard]] bool read_memory(napi_env env, napi_value object);
  // Frees the memory that `onOpen` returned, which must not be used any more.
  void free_memory(napi_env env);
  // Releases all that belongs to JavaScript.
  void release();
};

}  // namespace busbar
