// Passes the alarm of the poll thread to the environment's thread, and paces the dispatches there.
#include "napi/environment_thread.h"

#include <napi.h>

#include <utility>

#include "base/clock.h"
#include "loop/thread_poller.h"

namespace busbar {

loop::Poller* EnvironmentThread::create_poller(napi_env env, loop::Poller::Client& client) {
  if (function_ == nullptr && !start(env)) return nullptr;
  return loop::ThreadPoller::create(set_, client);
}

bool EnvironmentThread::start(napi_env env) {
  env_ = env;
  requested_ = resting_ = closed_ = false;
  wanted_ = false;
  if (microtasks_.open(env) && round_.open(env) && create_function() && set_.open() &&
      thread_.start(set_.fd(), *this)) {
    return true;
  }
  stop();
  return false;
}

bool EnvironmentThread::create_function() {
  napi_value name;
  // The thread is its one user.
  if (napi_create_string_utf8(env_, "busbar", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, on_call,
                                      &function_) != napi_ok) {
    function_ = nullptr;
    return false;
  }
  napi_unref_threadsafe_function(env_, function_);
  return true;
}

void EnvironmentThread::stop() {
  thread_.stop();
  set_.close();
  const napi_threadsafe_function function = std::exchange(function_, nullptr);
  // Calls that are under way are dropped.
  if (function != nullptr && !closed_) napi_release_threadsafe_function(function, napi_tsfn_abort);
}

void EnvironmentThread::wake() {
  resting_ = true;
  request_dispatch();
}

void EnvironmentThread::request_dispatch() {
  if (closed_ || requested_.exchange(true)) return;
  if (napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking) == napi_closing)
    closed_ = true;
}

void EnvironmentThread::on_call(napi_env env, napi_value, void* self, void*) {
  // The environment ends, and has called what was left.
  if (env != nullptr) static_cast<EnvironmentThread*>(self)->dispatch();
}

void EnvironmentThread::dispatch_soon() {
  wanted_ = true;
  if (!busy_) request_dispatch();
}

void EnvironmentThread::dispatch() {
  requested_ = false;
  wanted_ = true;
  if (busy_) return;
  wanted_ = false;
  busy_ = true;
  Napi::HandleScope handles(env_);
  began_ = monotonic_now();
  set_.dispatch(began_ + loop::kRoundMicroseconds - spent_);
  microtasks_.end_turn();
}

void EnvironmentThread::on_settled() {
  spent_ += monotonic_now() - began_;
  if (spent_ >= loop::kRoundMicroseconds && round_.request(keeps_alive_)) return;
  end_dispatch();
}

void EnvironmentThread::on_round() {
  spent_ = 0;
  end_dispatch();
}

void EnvironmentThread::end_dispatch() {
  busy_ = false;
  // The last poller was closed.
  if (function_ == nullptr) return;
  if (resting_.exchange(false)) thread_.rearm();
  if (wanted_) request_dispatch();
}

void EnvironmentThread::keep_alive(bool wanted) {
  keeps_alive_ = wanted;
  if (function_ == nullptr || closed_) return;
  if (wanted) {
    napi_ref_threadsafe_function(env_, function_);
  } else {
    napi_unref_threadsafe_function(env_, function_);
  }
}

}  // namespace busbar
