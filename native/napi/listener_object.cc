// Carries out the methods of Listener, and its turns of the event loop.
#include "napi/listener_object.h"

#include <unistd.h>

#include <cerrno>

#include "napi/addon.h"
#include "transport/socket_state.h"
#include "transport/transport.h"

namespace busbar {

namespace {

// How many clients one turn accepts at most, and how long it goes on: connections get their turns in between.
constexpr int kAcceptedPerTurn = 16;
constexpr uint64_t kTurnMicroseconds = 1000;
// How long the listener rests when there were no descriptors, or no memory. The client stays in the queue, so
// the socket stays readable: without a rest the loop would spin.
constexpr uint64_t kRestMicroseconds = 100'000;

}  // namespace

Napi::Function ListenerObject::define(Napi::Env env) {
  return DefineClass(env, "Listener",
                     {
                         InstanceMethod<&ListenerObject::start>("start"),
                         InstanceMethod<&ListenerObject::port>("port"),
                         InstanceMethod<&ListenerObject::close>("close"),
                         InstanceMethod<&ListenerObject::ref>("ref"),
                         InstanceMethod<&ListenerObject::unref>("unref"),
                         InstanceMethod<&ListenerObject::pause>("pause"),
                         InstanceMethod<&ListenerObject::resume>("resume"),
                         InstanceMethod<&ListenerObject::has_waiting>("hasWaiting"),
                     });
}

ListenerObject::ListenerObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  const Napi::Value options = info[0];
  if (!options.IsObject()) {
    napi_throw_type_error(env, nullptr, "options must be an object");
    return;
  }
  const Napi::Object object = options.As<Napi::Object>();
  const Napi::Value name = object.Get("name"), ip = object.Get("ip"), port = object.Get("port");
  const Napi::Value on_accept = object.Get("onAccept"), on_error = object.Get("onError");
  if (!name.IsString() || !ip.IsString() || !port.IsNumber() || !on_accept.IsFunction() ||
      !on_error.IsFunction()) {
    napi_throw_type_error(env, nullptr, "name and ip must be strings, port a number, callbacks functions");
    return;
  }
  const Napi::Value poller = object.Get("poller");
  const auto kind = poller.IsString() ? poller_kind(poller.As<Napi::String>().Utf8Value()) : std::nullopt;
  if (!kind) {
    napi_throw_type_error(env, nullptr, "this build has only the pollers 'uv' and 'thread'");
    return;
  }
  poller_kind_ = *kind;
  name_ = name.As<Napi::String>().Utf8Value();
  ip_ = ip.As<Napi::String>().Utf8Value();
  port_ = static_cast<uint16_t>(port.As<Napi::Number>().Uint32Value());
  const Napi::Value adopt = object.Get("adopt");
  if (adopt.IsNumber()) adopted_.reset(adopt.As<Napi::Number>().Int32Value());
  on_accept_ = busbar::Reference(env, on_accept);
  on_error_ = busbar::Reference(env, on_error);
}

Napi::Value ListenerObject::start(const Napi::CallbackInfo& info) {
  if (!state_.is_new()) return Napi::Number::New(info.Env(), EALREADY);
  int error = open();
  if (error == 0 && !poller_.open(Env(), poller_kind_, *this)) {
    listener_.close();
    error = ENOMEM;
  }
  if (error != 0) {
    state_.stop();
    release();
    return Napi::Number::New(info.Env(), error);
  }
  async_context_.emplace(info.Env(), "busbar");
  state_.start();
  Ref();
  wait();
  return Napi::Number::New(info.Env(), 0);
}

int ListenerObject::open() {
  if (adopted_) {
    listener_.adopt(adopted_.release());
    return 0;
  }
  transport::SocketAddress address;
  const int error = name_.empty() ? address.set_tcp(ip_.c_str(), port_) : address.set_unix(name_);
  if (error != 0) return error;
  const int failure = listener_.open(address);
  if (failure == 0) file_.remember(name_);
  return failure;
}

Napi::Value ListenerObject::port(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), listener_.port());
}

void ListenerObject::on_poll() {
  // A callback runs the event loop.
  if (!state_.is_waiting()) return;
  // libuv's timers count from where the turn of the loop began, and so may be early.
  const uint64_t now = monotonic_now();
  if (resting_until_ > now) return wait();
  Napi::HandleScope handles(Env());
  // Keeps this object from being collected while it is in use here, even if a callback closes it.
  [[maybe_unused]] const Napi::Object self = Value();
  resting_until_ = 0;
  state_.begin_turn();
  for (int i = 0; i < kAcceptedPerTurn && state_.is_running() && !paused_; i++) {
    if (!accept_one() || monotonic_now() >= now + kTurnMicroseconds) break;
  }
  state_.end_turn();
  if (!state_.is_waiting()) return release();
  wait();
}

void ListenerObject::wait() {
  // A listening socket never hangs up: this waits for nothing, and keeps the process alive as before.
  if (paused_) return poller_->watch({.fd = listener_.fd(), .hangup = true});
  if (resting_until_ == 0) {
    poller_->watch({.fd = listener_.fd(), .readable = true});
  } else {
    poller_->watch({.fd = listener_.fd(), .deadline = resting_until_});
  }
}

bool ListenerObject::accept_one() {
  const int fd = listener_.accept();
  if (fd == -EAGAIN) return false;
  // The client, or its network, is gone: the next client may be there.
  if (fd == -ECONNABORTED || fd == -EINTR || fd == -EPROTO || fd == -EPERM) return true;
  AsyncScope scope(Env(), *async_context_);
  if (fd < 0) {
    resting_until_ = monotonic_now() + kRestMicroseconds;
    call(Env(), on_error_, {number(Env(), -fd)});
    return false;
  }
  const FdOffer offer(Env().GetInstanceData<Addon>()->last_offer(), fd);
  const CallResult result = call(Env(), on_accept_, {number(Env(), fd)});
  if (result == CallResult::kUnavailable && !offer.is_taken()) ::close(fd);
  return true;
}

void ListenerObject::close(const Napi::CallbackInfo&) {
  if (state_.is_running()) {
    disconnect();
    Unref();
  }
  state_.stop();
  if (state_.is_over()) release();
}

void ListenerObject::ref(const Napi::CallbackInfo&) {
  if (poller_.is_open()) poller_->ref();
}

void ListenerObject::unref(const Napi::CallbackInfo&) {
  if (poller_.is_open()) poller_->unref();
}

void ListenerObject::pause(const Napi::CallbackInfo&) {
  paused_ = true;
  wait_again();
}

void ListenerObject::resume(const Napi::CallbackInfo&) {
  paused_ = false;
  wait_again();
}

Napi::Value ListenerObject::has_waiting(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), state_.is_running() && transport::is_readable(listener_.fd()));
}

void ListenerObject::disconnect() {
  state_.stop();
  poller_.close();
  listener_.close();
}

void ListenerObject::on_environment_end() {
  // JavaScript removes the file, but a worker that is terminated runs none any more.
  file_.remove();
  // What belongs to JavaScript is released with this object: Deno has no scope for handles any more.
  disconnect();
}

void ListenerObject::release() {
  on_accept_.reset();
  on_error_.reset();
  async_context_.reset();
}

}  // namespace busbar
