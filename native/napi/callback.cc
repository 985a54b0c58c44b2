// Calls JavaScript, and passes what it throws to the uncaughtException handling of the process.
#include "napi/callback.h"

namespace busbar {

CallResult call(napi_env env, const Reference& function, std::initializer_list<napi_value> arguments,
                napi_value* result) {
  napi_value callee = function.get(), global, returned;
  if (callee == nullptr || napi_get_global(env, &global) != napi_ok) return CallResult::kUnavailable;
  const napi_status status =
      napi_call_function(env, global, callee, arguments.size(), arguments.begin(), &returned);
  if (status == napi_ok) {
    if (result != nullptr) *result = returned;
    return CallResult::kReturned;
  }
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending ||
      napi_get_and_clear_last_exception(env, &exception) != napi_ok) {
    // A worker that is being terminated refuses calls without an exception that could be reported.
    return CallResult::kUnavailable;
  }
  return napi_fatal_exception(env, exception) == napi_ok ? CallResult::kThrew : CallResult::kUnavailable;
}

napi_value number(napi_env env, int32_t value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}

napi_value undefined(napi_env env) {
  napi_value result = nullptr;
  napi_get_undefined(env, &result);
  return result;
}

}  // namespace busbar
