// Defines what the module exports: `Addon` in src/native/binding.ts.
#include "napi/addon.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/unique_fd.h"
#include "napi/connection_object.h"
#include "napi/credentials_value.h"
#include "napi/listener_object.h"
#include "napi/socket_value.h"
#include "seam_version.h"
#include "transport/datagram.h"
#include "wire/rule.h"

namespace busbar {

Addon::Addon(Napi::Env env, Napi::Object exports) {
  DefineAddon(exports,
              {
                  InstanceValue("Connection", ConnectionObject::define(env), napi_enumerable),
                  InstanceValue("Listener", ListenerObject::define(env), napi_enumerable),
                  InstanceValue("seamVersion", Napi::Number::New(env, kSeamVersion), napi_enumerable),
                  InstanceMethod<&Addon::sdbus_library>("sdbusLibrary"),
                  InstanceMethod<&Addon::duplicate_fd>("duplicateFd"),
                  InstanceMethod<&Addon::close_fd>("closeFd"),
                  InstanceMethod<&Addon::keep_fd>("keepFd"),
                  InstanceMethod<&Addon::release_fd>("releaseFd"),
                  InstanceMethod<&Addon::peer_credentials>("peerCredentials"),
                  InstanceMethod<&Addon::describe_socket>("describeSocket"),
                  InstanceMethod<&Addon::socket_pair>("socketPair"),
                  InstanceMethod<&Addon::make_pipe>("makePipe"),
                  InstanceMethod<&Addon::notify>("notify"),
                  InstanceMethod<&Addon::use_immediate>("useImmediate"),
                  InstanceMethod<&Addon::use_batch_memory>("useBatchMemory"),
                  InstanceMethod<&Addon::make_outbox>("makeOutbox"),
                  InstanceMethod<&Addon::describe_rule>("describeRule"),
              });
}

Addon::~Addon() {
  for (const int fd : kept_fds_) ::close(fd);
}

const sdbus::Library* Addon::library() {
  // Once: an absent library would be searched for on every connection attempt.
  if (!looked_for_library_) library_ = sdbus::Library::open();
  looked_for_library_ = true;
  return library_.get();
}

Napi::Value Addon::sdbus_library(const Napi::CallbackInfo& info) {
  const sdbus::Library* found = library();
  if (found == nullptr) return info.Env().Undefined();
  return Napi::String::New(info.Env(), found->name());
}

Napi::Value Addon::duplicate_fd(const Napi::CallbackInfo& info) {
  // From 3 up: a program whose standard streams are closed must not find a bus message's descriptor in their
  // place.
  const int copy = fcntl(info[0].ToNumber().Int32Value(), F_DUPFD_CLOEXEC, 3);
  return Napi::Number::New(info.Env(), copy < 0 ? -errno : copy);
}

Napi::Value Addon::close_fd(const Napi::CallbackInfo& info) {
  const int fd = info[0].ToNumber().Int32Value();
  FdOffer::take(last_offer_, fd);
  kept_fds_.erase(fd);
  const int r = ::close(fd);
  return Napi::Number::New(info.Env(), r < 0 ? -errno : 0);
}

void Addon::keep_fd(const Napi::CallbackInfo& info) { kept_fds_.insert(info[0].ToNumber().Int32Value()); }

void Addon::release_fd(const Napi::CallbackInfo& info) { kept_fds_.erase(info[0].ToNumber().Int32Value()); }

Napi::Value Addon::peer_credentials(const Napi::CallbackInfo& info) {
  return credentials_value(info.Env(), info[0].ToNumber().Int32Value());
}

Napi::Value Addon::describe_socket(const Napi::CallbackInfo& info) {
  return socket_value(info.Env(), info[0].ToNumber().Int32Value());
}

namespace {

// Two new descriptors as an array, or -EMFILE if a standard stream is closed and its number cannot be left
// free.
Napi::Value two_fds(Napi::Env env, const int (&fds)[2]) {
  UniqueFd one(ordinary_fd(fds[0])), other(ordinary_fd(fds[1]));
  if (!one || !other) return Napi::Number::New(env, -EMFILE);
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0U, Napi::Number::New(env, one.release()));
  pair.Set(1U, Napi::Number::New(env, other.release()));
  return pair;
}

}  // namespace

Napi::Value Addon::socket_pair(const Napi::CallbackInfo& info) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
    return Napi::Number::New(info.Env(), -errno);
  return two_fds(info.Env(), fds);
}

Napi::Value Addon::make_pipe(const Napi::CallbackInfo& info) {
  int fds[2];
  // The ends block: the programs that get them expect pipes as a shell makes them.
  if (pipe2(fds, O_CLOEXEC) != 0) return Napi::Number::New(info.Env(), -errno);
  return two_fds(info.Env(), fds);
}

Napi::Value Addon::notify(const Napi::CallbackInfo& info) {
  const std::string name = info[0].ToString().Utf8Value();
  const std::string text = info[1].ToString().Utf8Value();
  return Napi::Number::New(info.Env(), -transport::send_datagram(name, text));
}

void Addon::use_immediate(const Napi::CallbackInfo& info) { poll_thread_.use_immediate(info.Env(), info[0]); }

void Addon::use_batch_memory(const Napi::CallbackInfo& info) { batch_memories_.use(info.Env(), info[0]); }

Napi::Value Addon::make_outbox(const Napi::CallbackInfo& info) {
  outboxes_.push_back(std::make_unique<LentOutbox>(connections_));
  return {info.Env(), outboxes_.back()->object(info.Env())};
}

Napi::Value Addon::describe_rule(const Napi::CallbackInfo& info) {
  const uint32_t rule = info[0].ToNumber().Uint32Value();
  const bool is_rule = rule > 0 && rule <= static_cast<uint32_t>(wire::Rule::kDecodedSize);
  return Napi::String::New(info.Env(), is_rule ? wire::describe(static_cast<wire::Rule>(rule)).data() : "");
}

}  // namespace busbar

using busbar::Addon;
NODE_API_NAMED_ADDON(busbar, Addon)
