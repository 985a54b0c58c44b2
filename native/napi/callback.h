// References to JavaScript values, and calls of JavaScript functions.
#pragma once

#include <node_api.h>

#include <initializer_list>
#include <optional>

namespace busbar {

// A strong reference to a JavaScript value.
class Reference {
 public:
  Reference() = default;
  Reference(napi_env env, napi_value value) : env_(env) {
    if (napi_create_reference(env, value, 1, &reference_) != napi_ok) reference_ = nullptr;
  }
  Reference(Reference&& other) noexcept : env_(other.env_), reference_(other.reference_) {
    other.reference_ = nullptr;
  }
  Reference& operator=(Reference&& other) noexcept {
    if (this != &other) {
      reset();
      env_ = other.env_;
      reference_ = other.reference_;
      other.reference_ = nullptr;
    }
    return *this;
  }
  ~Reference() { reset(); }

  void reset() {
    if (reference_ != nullptr) napi_delete_reference(env_, reference_);
    reference_ = nullptr;
  }

  // Null if it was released.
  napi_value get() const {
    napi_value value = nullptr;
    if (reference_ != nullptr) napi_get_reference_value(env_, reference_, &value);
    return value;
  }

 private:
  napi_env env_ = nullptr;
  napi_ref reference_ = nullptr;
};

enum class CallResult {
  kReturned,
  // It threw; the exception went to the process's uncaughtException handling.
  kThrew,
  // The environment is being torn down: no JavaScript runs any more.
  kUnavailable,
};

// Calls `function`, with the global object as receiver. Nothing thrown ever reaches the caller.
CallResult call(napi_env env, const Reference& function, std::initializer_list<napi_value> arguments,
                napi_value* result = nullptr);

napi_value number(napi_env env, int32_t value);
napi_value undefined(napi_env env);

}  // namespace busbar
