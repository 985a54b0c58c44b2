// Reads and checks the options. Users see the errors of TypeScript; these are for developers of the seam.
#include "napi/connection_options.h"

#include <fcntl.h>

#include <cstring>
#include <string_view>

#include "napi/addon.h"

namespace busbar {

namespace {

bool refuse(napi_env env, const char* text) {
  napi_throw_type_error(env, nullptr, text);
  return false;
}

bool read_string(napi_env env, napi_value object, const char* name, std::string& text) {
  napi_value value;
  size_t length;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    return refuse(env, "address, transport, poller, name, ip and role must be strings");
  }
  text.resize(length);
  return napi_get_value_string_utf8(env, value, text.data(), length + 1, &length) == napi_ok;
}

bool read_function(napi_env env, napi_value object, const char* name, Reference& function) {
  napi_value value;
  napi_valuetype type;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok || type != napi_function) {
    return refuse(env, "every callback must be a function");
  }
  function = Reference(env, value);
  return true;
}

bool read_number(napi_env env, napi_value object, const char* name, int32_t& number) {
  napi_value value;
  return napi_get_named_property(env, object, name, &value) == napi_ok &&
         napi_get_value_int32(env, value, &number) == napi_ok;
}

// An optional boolean.
bool read_boolean(napi_env env, napi_value object, const char* name, bool& boolean) {
  napi_value value;
  napi_valuetype type = napi_undefined;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok) {
    return false;
  }
  return type == napi_undefined || napi_get_value_bool(env, value, &boolean) == napi_ok;
}

// One of `limits`, an integer above 0; a number beyond 64 bits means no limit.
bool read_limit(napi_env env, napi_value limits, const char* name, uint64_t& limit) {
  napi_value value;
  double number = 0;
  if (napi_get_named_property(env, limits, name, &value) != napi_ok ||
      napi_get_value_double(env, value, &number) != napi_ok || !(number >= 1)) {
    return refuse(env, "limits must be numbers above 0");
  }
  limit = number < 0x1p63 ? static_cast<uint64_t>(number) : UINT64_MAX;
  return true;
}

bool read_limits(napi_env env, napi_value object, inbox::Limits& limits) {
  napi_value value;
  napi_valuetype type = napi_undefined;
  if (napi_get_named_property(env, object, "limits", &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok || type != napi_object) {
    return refuse(env, "limits must be an object");
  }
  return read_limit(env, value, "messageSize", limits.message_size) &&
         read_limit(env, value, "decodedSize", limits.decoded_size);
}

// The property `guid`, which is optional for a client.
bool read_guid(napi_env env, napi_value object, bool is_optional, transport::Endpoint& endpoint) {
  napi_value value;
  napi_valuetype type = napi_undefined;
  napi_typedarray_type kind = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_named_property(env, object, "guid", &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok) {
    return false;
  }
  if (is_optional && type == napi_undefined) return true;
  if (napi_get_typedarray_info(env, value, &kind, &length, &data, nullptr, nullptr) != napi_ok ||
      kind != napi_uint8_array || length != sizeof(wire::Guid)) {
    return false;
  }
  std::memcpy(endpoint.guid.emplace().data(), data, length);
  return true;
}

// The property `turn`, which may be left out.
bool read_turn(napi_env env, napi_value object, Reference& turn, int32_t*& note) {
  napi_value value;
  napi_valuetype type = napi_undefined;
  napi_typedarray_type kind = napi_uint8_array;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_named_property(env, object, "turn", &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok) {
    return false;
  }
  if (type == napi_undefined) return true;
  if (napi_get_typedarray_info(env, value, &kind, &length, &data, nullptr, nullptr) != napi_ok ||
      kind != napi_int32_array || length < 2) {
    return refuse(env, "turn must be an Int32Array of two integers");
  }
  turn = Reference(env, value);
  note = static_cast<int32_t*>(data);
  return true;
}

// An optional object; `object` is null without it.
bool read_object(napi_env env, napi_value options, const char* name, napi_value& object) {
  napi_valuetype type = napi_undefined;
  if (napi_get_named_property(env, options, name, &object) != napi_ok ||
      napi_typeof(env, object, &type) != napi_ok || (type != napi_undefined && type != napi_object)) {
    return refuse(env, "serve, adopt and target must be objects");
  }
  if (type == napi_undefined) object = nullptr;
  return true;
}

bool read_target(napi_env env, napi_value target, transport::Endpoint& endpoint) {
  std::string name, ip;
  int32_t port = 0;
  if (!read_string(env, target, "name", name) || !read_string(env, target, "ip", ip)) return false;
  if (!read_number(env, target, "port", port) || !read_guid(env, target, true, endpoint))
    return refuse(env, "target must have a port, and may have a guid of 16 bytes");
  if (!read_boolean(env, target, "isBus", endpoint.is_bus)) return refuse(env, "isBus must be a boolean");
  const int error = name.empty() ? endpoint.target.set_tcp(ip.c_str(), static_cast<uint16_t>(port))
                                 : endpoint.target.set_unix(name);
  return error == 0 || refuse(env, "target must be the name of a unix socket, or a numeric address");
}

bool read_served(napi_env env, napi_value serve, transport::Endpoint& endpoint) {
  int32_t socket = -1;
  if (!read_guid(env, serve, false, endpoint) || !read_number(env, serve, "fd", socket) || socket < 0)
    return refuse(env, "serve must have a descriptor, and a guid of 16 bytes");
  FdOffer::take(Napi::Env(env).GetInstanceData<Addon>()->last_offer(), socket);
  endpoint.socket.reset(socket);
  return true;
}

// Any socket: the program says which part this end has.
bool read_adopted(napi_env env, napi_value adopted, transport::Endpoint& endpoint) {
  int32_t socket = -1;
  std::string role;
  if (!read_number(env, adopted, "fd", socket) || socket < 0 || !read_guid(env, adopted, true, endpoint) ||
      !read_boolean(env, adopted, "isBus", endpoint.is_bus)) {
    return refuse(env, "adopt must have a descriptor, and may have a guid of 16 bytes and isBus");
  }
  endpoint.socket.reset(socket);
  // A program that starts another one must not pass it on unawares.
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  if (!read_string(env, adopted, "role", role)) return false;
  if (role == "client") {
    endpoint.role = transport::Role::kClient;
  } else if (role == "none") {
    endpoint.role = transport::Role::kNone;
  } else if (role != "server") {
    return refuse(env, "role must be 'client', 'server' or 'none'");
  }
  return true;
}

// The parts of the endpoint in `anonymous`, `target`, `serve` and `adopt`, which are optional.
bool read_endpoint(napi_env env, napi_value object, transport::Endpoint& endpoint) {
  if (!read_string(env, object, "address", endpoint.address)) return false;
  if (!read_boolean(env, object, "anonymous", endpoint.anonymous))
    return refuse(env, "anonymous must be a boolean");
  napi_value target, serve, adopt;
  if (!read_object(env, object, "target", target) || !read_object(env, object, "serve", serve) ||
      !read_object(env, object, "adopt", adopt)) {
    return false;
  }
  if (adopt != nullptr) return read_adopted(env, adopt, endpoint);
  if (target != nullptr && !read_target(env, target, endpoint)) return false;
  return serve == nullptr || read_served(env, serve, endpoint);
}

bool read_kinds(napi_env env, napi_value object, std::string& transport, PollerKind& poller) {
  std::string name;
  if (!read_string(env, object, "transport", transport) || !read_string(env, object, "poller", name))
    return false;
  if (transport != "sd-bus" && transport != "socket")
    return refuse(env, "this build has only the transports 'sd-bus' and 'socket'");
  const std::optional<PollerKind> kind = poller_kind(name);
  if (!kind) return refuse(env, "this build has only the pollers 'uv' and 'thread'");
  poller = *kind;
  return true;
}

}  // namespace

bool ConnectionOptions::read(napi_env env, napi_value object) {
  napi_valuetype type;
  if (napi_typeof(env, object, &type) != napi_ok || type != napi_object)
    return refuse(env, "options must be an object");
  // The endpoint comes first: the socket that it owns is closed with it if anything else is wrong.
  return read_endpoint(env, object, endpoint) && read_kinds(env, object, transport, poller) &&
         read_limits(env, object, limits) && read_turn(env, object, turn, turn_note) &&
         read_function(env, object, "onOpen", on_open) && read_function(env, object, "onBatch", on_batch) &&
         read_function(env, object, "onDrain", on_drain) &&
         read_function(env, object, "onRefused", on_refused) &&
         read_function(env, object, "onClose", on_close);
}

void ConnectionOptions::release() {
  turn_note = nullptr;
  for (Reference* reference : {&turn, &on_open, &on_batch, &on_drain, &on_refused, &on_close})
    reference->reset();
}

}  // namespace busbar
