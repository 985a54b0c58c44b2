// Memory for batches, shared by the connections of an environment. A connection leases some for a batch,
// until all of its rows were handed over: an idle connection has none.
#pragma once

#include <node_api.h>

#include <memory>
#include <vector>

#include "inbox/inbox.h"
#include "napi/callback.h"

namespace busbar {

// `InboxMemory` in src/native/binding.ts.
class BatchMemory {
 public:
  // Checks `object`, and refers to its buffers. On failure a TypeError is pending and false returned.
  [[nodiscard]] bool read(napi_env env, napi_value object);
  // Frees the memory by detaching its buffers: otherwise it stays until the next garbage collection.
  void free(napi_env env) const;

  // A buffer of `length` bytes or more, for a body that is too large for the arena. Null, with an exception
  // pending, where there is no memory.
  napi_value large_buffer(napi_env env, size_t length, void*& data);

  napi_value object() const { return object_.get(); }
  // Without `buffer`.
  const inbox::InboxMemory& views() const { return views_; }

  // That of the function that made it.
  int generation = 0;

 private:
  inbox::InboxMemory views_{};
  Reference object_, arena_, rows_, strings_, fds_;
  // The last large buffer, which is used again where it is large enough: new memory is cleared first and has
  // no pages yet, which takes longer than to copy a body.
  Reference large_;
};

class BatchMemories {
 public:
  using Lease = std::unique_ptr<BatchMemory>;

  // Names the function of JavaScript that makes memory. Memory that an earlier one made is not leased again.
  void use(napi_env env, napi_value make);
  // Null if all memory is leased.
  Lease take_free();
  // Calls JavaScript. Null, with an exception pending, where there is no memory.
  Lease make(napi_env env);
  void give_back(napi_env env, Lease lease);

  inbox::SpareBuffer& buffer() { return buffer_; }

 private:
  Reference make_;
  // How many functions there were.
  int generation_ = 0;
  std::vector<Lease> free_;
  inbox::SpareBuffer buffer_;
};

}  // namespace busbar
