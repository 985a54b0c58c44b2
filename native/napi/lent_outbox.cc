// Two functions that share an object: no value has to be unwrapped to find it.
#include "napi/lent_outbox.h"

#include "napi/connection_object.h"

namespace busbar {

namespace {

napi_value refuse(napi_env env, const char* text) {
  napi_throw_type_error(env, nullptr, text);
  return nullptr;
}

}  // namespace

napi_value LentOutbox::object(napi_env env) {
  napi_value object = nullptr;
  const napi_property_descriptor functions[] = {
      {"lend", nullptr, lend, nullptr, nullptr, nullptr, napi_default, this},
      {"send", nullptr, send, nullptr, nullptr, nullptr, napi_default, this},
  };
  const bool is_made = napi_create_object(env, &object) == napi_ok &&
                       napi_define_properties(env, object, std::size(functions), functions) == napi_ok;
  return is_made ? object : nullptr;
}

napi_value LentOutbox::lend(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value view;
  napi_typedarray_type type;
  void *self = nullptr, *data = nullptr;
  if (napi_get_cb_info(env, info, &count, &view, nullptr, &self) != napi_ok ||
      napi_get_typedarray_info(env, view, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    return refuse(env, "lend takes a Uint8Array");
  }
  LentOutbox& outbox = *static_cast<LentOutbox*>(self);
  outbox.view_ = Reference(env, view);
  outbox.bytes_ = {static_cast<const uint8_t*>(data), length};
  return nullptr;
}

napi_value LentOutbox::send(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  uint32_t number = 0, end = 0;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) != napi_ok ||
      napi_get_value_uint32(env, arguments[0], &number) != napi_ok ||
      napi_get_value_uint32(env, arguments[1], &end) != napi_ok ||
      end > static_cast<LentOutbox*>(data)->bytes_.size()) {
    return refuse(env, "send takes the number of a connection, and an end within the lent memory");
  }
  const LentOutbox& outbox = *static_cast<LentOutbox*>(data);
  ConnectionObject* const connection = outbox.connections_.find(number);
  if (connection == nullptr) return nullptr;
  const uint64_t waiting = connection->send_bytes(outbox.bytes_.first(end), {});
  if (waiting == 0) return nullptr;
  napi_value result = nullptr;
  napi_create_double(env, static_cast<double>(waiting), &result);
  return result;
}

}  // namespace busbar
