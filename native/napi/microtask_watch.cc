// Resolves a promise whose reaction is the microtask that tells that all before it have run.
#include "napi/microtask_watch.h"

namespace busbar {

bool MicrotaskWatch::open(napi_env env) {
  if (env_ != nullptr) return true;
  napi_deferred deferred;
  napi_value promise, then, settle;
  if (napi_create_promise(env, &deferred, &promise) != napi_ok ||
      napi_resolve_deferred(env, deferred, undefined(env)) != napi_ok ||
      napi_get_named_property(env, promise, "then", &then) != napi_ok ||
      napi_create_function(env, "settle", NAPI_AUTO_LENGTH, call_client, this, &settle) != napi_ok) {
    return false;
  }
  env_ = env;
  promise_ = Reference(env, promise);
  then_ = Reference(env, then);
  settle_ = Reference(env, settle);
  return true;
}

void MicrotaskWatch::end_turn() {
  const napi_value promise = promise_.get(), then = then_.get(), settle = settle_.get();
  napi_value returned;
  // Where no JavaScript can run any more, nothing is left to wait for.
  if (napi_call_function(env_, promise, then, 1, &settle, &returned) != napi_ok) client_.on_settled();
}

napi_value MicrotaskWatch::call_client(napi_env env, napi_callback_info info) {
  void* self = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &self) == napi_ok) {
    static_cast<MicrotaskWatch*>(self)->client_.on_settled();
  }
  return nullptr;
}

}  // namespace busbar
