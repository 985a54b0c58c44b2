// Every entry from the event loop into JavaScript goes through an AsyncScope.
//
// It opens a handle scope, and a callback scope inside it: when the outermost callback scope closes,
// nextTicks and microtasks run. Calls made while JavaScript is already on the stack must not use it, or those
// would run in the middle of the caller.
#pragma once

#include <node_api.h>

namespace busbar {

class AsyncContext {
 public:
  AsyncContext(napi_env env, const char* name) : env_(env) {
    napi_value text;
    if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text) != napi_ok ||
        napi_async_init(env, nullptr, text, &context_) != napi_ok) {
      context_ = nullptr;
    }
  }
  ~AsyncContext() {
    if (context_ != nullptr) napi_async_destroy(env_, context_);
  }
  AsyncContext(const AsyncContext&) = delete;
  AsyncContext& operator=(const AsyncContext&) = delete;

  napi_async_context get() const { return context_; }

 private:
  napi_env env_;
  napi_async_context context_ = nullptr;
};

class AsyncScope {
 public:
  AsyncScope(napi_env env, const AsyncContext& context) : env_(env) {
    napi_value global;
    if (napi_open_handle_scope(env, &handles_) != napi_ok) return;
    // Node ignores the resource here, but other runtimes want an object.
    if (context.get() == nullptr || napi_get_global(env, &global) != napi_ok ||
        napi_open_callback_scope(env, global, context.get(), &callbacks_) != napi_ok) {
      callbacks_ = nullptr;
    }
  }
  ~AsyncScope() {
    if (callbacks_ != nullptr) napi_close_callback_scope(env_, callbacks_);
    if (handles_ != nullptr) napi_close_handle_scope(env_, handles_);
  }
  AsyncScope(const AsyncScope&) = delete;
  AsyncScope& operator=(const AsyncScope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope handles_ = nullptr;
  napi_callback_scope callbacks_ = nullptr;
};

}  // namespace busbar
