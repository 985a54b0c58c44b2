// Calls setImmediate from native code.
#include "napi/loop_round.h"

namespace busbar {

void LoopRound::use(napi_env env, napi_value set_immediate) {
  set_immediate_ = Reference(env, set_immediate);
}

bool LoopRound::open(napi_env env) {
  if (callback_.get() != nullptr) return true;
  napi_value callback, global, set_immediate;
  if (set_immediate_.get() == nullptr && napi_get_global(env, &global) == napi_ok &&
      napi_get_named_property(env, global, "setImmediate", &set_immediate) == napi_ok) {
    use(env, set_immediate);
  }
  if (napi_create_function(env, "round", NAPI_AUTO_LENGTH, on_immediate, this, &callback) != napi_ok) {
    return false;
  }
  env_ = env;
  callback_ = Reference(env, callback);
  return set_immediate_.get() != nullptr && callback_.get() != nullptr;
}

bool LoopRound::request(bool keep_alive) {
  napi_value immediate = nullptr, unref = nullptr;
  if (call(env_, set_immediate_, {callback_.get()}, &immediate) != CallResult::kReturned) return false;
  if (!keep_alive && napi_get_named_property(env_, immediate, "unref", &unref) == napi_ok) {
    napi_value ignored;
    napi_call_function(env_, immediate, unref, 0, nullptr, &ignored);
  }
  return true;
}

napi_value LoopRound::on_immediate(napi_env env, napi_callback_info info) {
  void* self = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &self) == napi_ok) {
    static_cast<LoopRound*>(self)->client_.on_round();
  }
  return nullptr;
}

}  // namespace busbar
