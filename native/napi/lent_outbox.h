// The memory in which TypeScript marshals messages, lent to the addon: sending from it passes two integers.
// It is the memory of one copy of the library, which an environment may have loaded more than once.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "napi/callback.h"

namespace busbar {

class ConnectionObject;

// The connections that have started and not ended, by numbers that are never used again.
class StartedConnections {
 public:
  uint32_t add(ConnectionObject& connection) {
    connections_.emplace(++last_, &connection);
    return last_;
  }
  void remove(uint32_t number) { connections_.erase(number); }
  // Null if it has ended.
  ConnectionObject* find(uint32_t number) const {
    const auto found = connections_.find(number);
    return found == connections_.end() ? nullptr : found->second;
  }

 private:
  std::unordered_map<uint32_t, ConnectionObject*> connections_;
  uint32_t last_ = 0;
};

class LentOutbox {
 public:
  explicit LentOutbox(const StartedConnections& connections) : connections_(connections) {}

  // `Outbox` in src/native/binding.ts. Null, with an exception pending, where there is no memory. The object
  // refers to this one, which must live as long as JavaScript runs.
  napi_value object(napi_env env);

 private:
  static napi_value lend(napi_env env, napi_callback_info info);
  static napi_value send(napi_env env, napi_callback_info info);

  const StartedConnections& connections_;
  Reference view_;
  std::span<const uint8_t> bytes_;
};

}  // namespace busbar
