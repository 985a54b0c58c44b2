// Carries out the methods of Connection, and its turns of the event loop.
#include "napi/connection_object.h"

#include <cerrno>
#include <cstring>

#include "napi/addon.h"
#include "napi/credentials_value.h"
#include "transport/handshake.h"
#include "transport/sdbus_transport.h"
#include "transport/socket_state.h"
#include "transport/stream_transport.h"

namespace busbar {

namespace {

// The time after which a turn ends, so that the loop can serve everything else: reading counts, and so does
// what JavaScript does with the messages, in its microtasks too. A turn delivers one message at least.
constexpr uint64_t kTurnMicroseconds = 1000;

const char* phase_name(transport::Phase phase) {
  switch (phase) {
    case transport::Phase::kConnect:
      return "connect";
    case transport::Phase::kAuthenticate:
      return "authenticate";
    case transport::Phase::kOpen:
      return "open";
  }
  return "";
}

}  // namespace

Napi::Function ConnectionObject::define(Napi::Env env) {
  return DefineClass(env, "Connection",
                     {
                         InstanceMethod<&ConnectionObject::start>("start"),
                         InstanceMethod<&ConnectionObject::own_number>("number"),
                         InstanceMethod<&ConnectionObject::send>("send"),
                         InstanceMethod<&ConnectionObject::flush>("flush"),
                         InstanceMethod<&ConnectionObject::end_sending>("endSending"),
                         InstanceMethod<&ConnectionObject::close>("close"),
                         InstanceMethod<&ConnectionObject::ref>("ref"),
                         InstanceMethod<&ConnectionObject::unref>("unref"),
                         InstanceMethod<&ConnectionObject::pause>("pause"),
                         InstanceMethod<&ConnectionObject::resume>("resume"),
                         InstanceMethod<&ConnectionObject::peer_credentials>("peerCredentials"),
                         InstanceMethod<&ConnectionObject::is_silent>("isSilent"),
                         InstanceMethod<&ConnectionObject::has_left>("hasLeft"),
                         InstanceMethod<&ConnectionObject::has_unread>("hasUnread"),
                     });
}

ConnectionObject::ConnectionObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  if (options_.read(info.Env(), info[0])) transport_ = make_transport(info.Env());
  // A socket that was passed in the options is closed where there is no transport to own it.
  if (transport_ == nullptr) options_.endpoint.socket.reset();
}

std::unique_ptr<transport::Transport> ConnectionObject::make_transport(Napi::Env env) {
  transport::Endpoint& endpoint = options_.endpoint;
  const bool is_socket = options_.transport == "socket";
  if (is_socket && (endpoint.socket || endpoint.target.length > 0))
    return std::make_unique<transport::StreamTransport>(
        std::make_unique<transport::Handshake>(std::move(endpoint)));
  const sdbus::Library* library = env.GetInstanceData<Addon>()->library();
  if (library == nullptr) {
    napi_throw_error(env, nullptr, "no sd-bus library was found");
    return nullptr;
  }
  auto sdbus = std::make_unique<transport::SdBusTransport>(library->api(), std::move(endpoint));
  if (is_socket) return std::make_unique<transport::StreamTransport>(std::move(sdbus));
  return sdbus;
}

Napi::Value ConnectionObject::start(const Napi::CallbackInfo& info) {
  if (!state_.is_new()) return Napi::Number::New(info.Env(), EALREADY);
  int error = transport_->start();
  if (error == 0 && !begin_polling()) error = ENOMEM;
  if (error != 0) {
    state_.stop();
    transport_->close();
    release();
    return Napi::Number::New(info.Env(), error);
  }
  state_.start();
  number_ = info.Env().GetInstanceData<Addon>()->connections().add(*this);
  async_context_.emplace(info.Env(), "busbar");
  Ref();
  wait();
  return Napi::Number::New(info.Env(), 0);
}

Napi::Value ConnectionObject::own_number(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), number_);
}

bool ConnectionObject::begin_polling() {
  if (!poller_.open(Env(), options_.poller, *this)) return false;
  if (!referenced_) poller_->unref();
  return true;
}

ConnectionObject::Mode ConnectionObject::mode() const {
  if (paused_) return Mode::kPaused;
  return is_delivered() ? Mode::kReading : Mode::kDelivering;
}

void ConnectionObject::on_poll() {
  // A callback runs the event loop: the batch that is being delivered is still in the inbox.
  if (!state_.is_waiting()) return;
  Napi::HandleScope handles(Env());
  // Keeps this object from being collected while it is in use here, even if a callback closes the connection.
  [[maybe_unused]] const Napi::Object self = Value();
  state_.begin_turn();
  take_noted_turn();
  state_.end_turn();
  if (state_.is_waiting()) {
    wait();
  } else {
    release();
  }
}

void ConnectionObject::take_noted_turn() {
  int32_t* const note = options_.turn_note;
  if (note == nullptr) return take_turn();
  // A callback may run the event loop, so this turn may be within that of another connection.
  const StartedConnections& connections = Env().GetInstanceData<Addon>()->connections();
  const uint32_t outer_number = static_cast<uint32_t>(note[0]);
  if (ConnectionObject* const outer = connections.find(outer_number)) outer->heed(note[1]);
  note[0] = static_cast<int32_t>(number_);
  note[1] = referenced_;
  take_turn();
  if (state_.is_running()) heed(note[1]);
  const ConnectionObject* const outer = connections.find(outer_number);
  note[0] = outer == nullptr ? 0 : static_cast<int32_t>(outer_number);
  note[1] = outer != nullptr && outer->referenced_;
}

void ConnectionObject::heed(int32_t noted) {
  const bool referenced = noted != 0;
  if (referenced != referenced_) set_referenced(referenced);
}

void ConnectionObject::take_turn() {
  if (mode() == Mode::kPaused) return write_paused();
  turn_ends_ = monotonic_now() + kTurnMicroseconds;
  if (mode() == Mode::kReading) take_batch();
  deliver();
  if (is_delivered()) end_batch();
}

void ConnectionObject::write_paused() {
  transport_->write();
  const bool hung_up = transport::has_hung_up(socket());
  if (paused_until_ < 0) {
    if (hung_up) look_for_end();
    return;
  }
  if (!hung_up && static_cast<int64_t>(transport_->pending_bytes()) > paused_until_) return;
  AsyncScope scope(Env(), *async_context_);
  call(Env(), options_.on_drain, {Napi::Boolean::New(Env(), hung_up)});
  // The end of the connection is found by reading; a paused connection would call onDrain again and again.
  if (hung_up) paused_ = false;
}

void ConnectionObject::take_batch() {
  if (!inbox_) {
    progress_ = transport_->open();
    if (progress_.opened) report_open();
    return;
  }
  progress_ = {};
  next_row_ = 0;
  if (!lease_memory()) return;
  progress_ = transport_->process(*inbox_);
  if (!progress_.refused.empty()) {
    AsyncScope scope(Env(), *async_context_);
    refusals_.insert(refusals_.end(), progress_.refused.begin(), progress_.refused.end());
    report_refusals();
  }
}

void ConnectionObject::report_open() {
  AsyncScope scope(Env(), *async_context_);
  inbox_.emplace(options_.limits);
  call(Env(), options_.on_open, {Napi::Boolean::New(Env(), transport_->can_send_fds())});
}

bool ConnectionObject::lease_memory() {
  BatchMemories& memories = Env().GetInstanceData<Addon>()->batch_memories();
  memory_ = memories.take_free();
  if (memory_ == nullptr) {
    AsyncScope scope(Env(), *async_context_);
    memory_ = memories.make(Env());
    napi_value exception;
    if (memory_ == nullptr) napi_get_and_clear_last_exception(Env(), &exception);
  }
  if (!state_.is_running()) return false;
  if (memory_ == nullptr) {
    progress_.lost = transport::Loss{ENOMEM, transport::Phase::kOpen, {}};
    return false;
  }
  inbox::InboxMemory views = memory_->views();
  views.buffer = &memories.buffer();
  inbox_->begin(views);
  return true;
}

void ConnectionObject::return_memory() {
  if (memory_ == nullptr) return;
  inbox_->end();
  next_row_ = 0;
  Env().GetInstanceData<Addon>()->batch_memories().give_back(Env(), std::move(memory_));
}

void ConnectionObject::look_for_end() {
  has_left_ = true;
  // Reading finds what was sent, and then the end.
  if (!is_delivered() || transport_->has_unread()) return;
  AsyncScope scope(Env(), *async_context_);
  stop();
  report_close({ECONNRESET, transport::Phase::kOpen, {}});
}

void ConnectionObject::deliver() {
  while (mode() == Mode::kDelivering && state_.is_running()) {
    {
      AsyncScope scope(Env(), *async_context_);
      next_row_ = deliver_from(next_row_);
      if (state_.is_running() && !poller_->has_outermost_scopes()) return;
    }
    // The microtasks have run when the scope is closed.
    if (!is_delivered() && monotonic_now() >= turn_ends_) return;
  }
}

void ConnectionObject::end_batch() {
  return_memory();
  if (progress_.drained && state_.is_running()) {
    AsyncScope scope(Env(), *async_context_);
    call(Env(), options_.on_drain, {Napi::Boolean::New(Env(), false)});
  }
  if (progress_.lost && state_.is_running()) {
    AsyncScope scope(Env(), *async_context_);
    stop();
    report_close(*progress_.lost);
  }
}

int32_t ConnectionObject::deliver_from(int32_t row) {
  const int32_t count = inbox_->count();
  const napi_value large = row == 0 && inbox_->has_large_body() ? take_large_body() : undefined(Env());
  const int32_t new_strings = row == 0 ? inbox_->new_strings() : 0;
  const uint64_t now = monotonic_now();
  napi_value time_left = nullptr, returned = nullptr;
  napi_create_double(Env(), now < turn_ends_ ? static_cast<double>(turn_ends_ - now) / 1000 : 0, &time_left);
  switch (call(Env(), options_.on_batch,
               {memory_->object(), number(Env(), row), number(Env(), count), number(Env(), new_strings),
                large, time_left},
               &returned)) {
    case CallResult::kReturned: {
      int32_t next = count;
      napi_get_value_int32(Env(), returned, &next);
      // A call takes one row at least, or the loop would not end.
      return next <= row ? row + 1 : next < count ? next : count;
    }
    case CallResult::kThrew:
      // Goes on behind the message that threw.
      do row++;
      while (row < count && inbox_->is_taken(row));
      return row;
    case CallResult::kUnavailable:
      inbox_->close_fds(row);
      return count;
  }
  return count;
}

// Copies the body into a buffer that V8 owns: Electron forbids external ones.
napi_value ConnectionObject::take_large_body() {
  const std::span<const uint8_t> body = inbox_->large_body();
  void* data = nullptr;
  napi_value buffer = memory_->large_buffer(Env(), body.size(), data);
  if (buffer != nullptr) {
    std::memcpy(data, body.data(), body.size());
  } else {
    napi_value exception;
    napi_get_and_clear_last_exception(Env(), &exception);
    inbox_->fail_large_body();
    buffer = undefined(Env());
  }
  inbox_->release_large_body();
  return buffer;
}

Napi::Value ConnectionObject::send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  napi_typedarray_type type;
  void* data = nullptr;
  size_t length = 0, fd_count = 0;
  uint32_t end = 0;
  if (napi_get_typedarray_info(env, info[0], &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array || napi_get_value_uint32(env, info[1], &end) != napi_ok || end > length) {
    napi_throw_type_error(env, nullptr, "send takes a Uint8Array and an end within it");
    return env.Undefined();
  }
  void* fds = nullptr;
  if (!info[2].IsUndefined() &&
      (napi_get_typedarray_info(env, info[2], &type, &fd_count, &fds, nullptr, nullptr) != napi_ok ||
       type != napi_int32_array)) {
    napi_throw_type_error(env, nullptr, "descriptors must be an Int32Array");
    return env.Undefined();
  }
  const uint64_t pending =
      send_bytes({static_cast<const uint8_t*>(data), end}, {static_cast<const int32_t*>(fds), fd_count});
  return Napi::Number::New(env, static_cast<double>(pending));
}

uint64_t ConnectionObject::send_bytes(std::span<const uint8_t> bytes, std::span<const int32_t> fds) {
  if (transport_ == nullptr) return 0;
  transport_->send(bytes, fds, refusals_);
  const uint64_t pending = transport_->pending_bytes();
  if (state_.is_waiting()) {
    transport_->end_rest();
    wait();
  }
  report_refusals();
  return pending;
}

void ConnectionObject::report_refusals() {
  if (refusals_.empty()) return;
  // A callback may send again, and may be refused again.
  const std::vector<transport::Refusal> refusals = std::move(refusals_);
  refusals_.clear();
  for (const transport::Refusal& refusal : refusals) {
    call(Env(), options_.on_refused,
         {Napi::Number::New(Env(), refusal.serial), number(Env(), refusal.error),
          Napi::Number::New(Env(), refusal.reply_serial), Napi::String::New(Env(), refusal.destination)});
  }
}

Napi::Value ConnectionObject::flush(const Napi::CallbackInfo& info) {
  if (!state_.is_running()) return Napi::Boolean::New(info.Env(), true);
  const uint32_t milliseconds = info[0].ToNumber().Uint32Value();
  const uint64_t stop_at = monotonic_now() + uint64_t{milliseconds} * 1000;
  transport_->flush(milliseconds);
  wait_again();
  const bool is_read = transport_->pending_bytes() == 0 && transport::await_read(socket(), stop_at);
  return Napi::Boolean::New(info.Env(), is_read);
}

Napi::Value ConnectionObject::end_sending(const Napi::CallbackInfo& info) {
  const int fd = socket();
  const bool ends = fd >= 0 && (info[0].ToBoolean() || transport::may_be_unread(fd));
  if (ends) {
    transport::end_writing(fd);
    // What keeps the process from reading has no effect any more: the end is found by reading.
    paused_ = has_left_ = false;
    wait_again();
  }
  return Napi::Boolean::New(info.Env(), ends);
}

void ConnectionObject::close(const Napi::CallbackInfo&) {
  if (!state_.is_running()) return;
  const transport::Phase phase = transport_->phase();
  stop();
  report_close({0, phase, {}});
  // Within a turn its frames use what is released: the end of the turn does so.
  if (state_.is_over()) release();
}

void ConnectionObject::ref(const Napi::CallbackInfo&) { set_referenced(true); }

void ConnectionObject::unref(const Napi::CallbackInfo&) { set_referenced(false); }

void ConnectionObject::set_referenced(bool referenced) {
  referenced_ = referenced;
  if (!poller_.is_open()) return;
  if (referenced) {
    poller_->ref();
  } else {
    poller_->unref();
  }
}

void ConnectionObject::pause(const Napi::CallbackInfo& info) {
  paused_ = true;
  paused_until_ = info[0].ToNumber().Int64Value();
  wait_again();
}

void ConnectionObject::resume(const Napi::CallbackInfo&) {
  paused_ = has_left_ = false;
  wait_again();
}

Napi::Value ConnectionObject::peer_credentials(const Napi::CallbackInfo& info) {
  return credentials_value(info.Env(), state_.is_running() ? transport_->wants().fd : -1);
}

Napi::Value ConnectionObject::is_silent(const Napi::CallbackInfo& info) {
  const bool silent =
      state_.is_running() && !inbox_ && !transport_->has_heard() && !transport::is_readable(socket());
  return Napi::Boolean::New(info.Env(), silent);
}

Napi::Value ConnectionObject::has_left(const Napi::CallbackInfo& info) {
  const bool left = state_.is_stopped() || (state_.is_running() && transport::has_hung_up(socket()));
  return Napi::Boolean::New(info.Env(), left);
}

Napi::Value ConnectionObject::has_unread(const Napi::CallbackInfo& info) {
  const bool unread = state_.is_running() && inbox_ &&
                      (!is_delivered() || transport_->has_unread() || transport::is_readable(socket()));
  // sd-bus may have read to find that out: the poller cannot see at the socket what sd-bus has now.
  wait_again();
  return Napi::Boolean::New(info.Env(), unread);
}

int ConnectionObject::socket() { return state_.is_running() ? transport_->wants().fd : -1; }

void ConnectionObject::wait() {
  const transport::Wants wants = transport_->wants();
  switch (mode()) {
    case Mode::kPaused: {
      // That the other side has hung up is found once: it stays so.
      // Where sd-bus has closed the socket there is nothing to watch: the next turn finds the end.
      const bool is_gone = wants.fd < 0 && !has_left_;
      return poller_->watch({.fd = wants.fd,
                             .writable = transport_->pending_bytes() > 0,
                             .hangup = !has_left_,
                             .deadline = is_gone ? 0 : kNoDeadline});
    }
    case Mode::kDelivering:
      return poller_->watch({wants.fd, wants.readable, wants.writable, false, 0});
    case Mode::kReading:
      return poller_->watch({wants.fd, wants.readable, wants.writable, false, wants.deadline});
  }
}

void ConnectionObject::disconnect() {
  state_.stop();
  Env().GetInstanceData<Addon>()->connections().remove(number_);
  number_ = 0;
  poller_.close();
  if (transport_ != nullptr) transport_->close();
}

void ConnectionObject::stop() {
  disconnect();
  Unref();
}

void ConnectionObject::discard_rest() {
  if (!inbox_) return;
  inbox_->close_fds(next_row_);
  next_row_ = inbox_->count();
}

void ConnectionObject::release() {
  discard_rest();
  return_memory();
  // This object lives until it is collected; what it has need not.
  inbox_.reset();
  transport_.reset();
  refusals_ = {};
  options_.release();
  async_context_.reset();
}

void ConnectionObject::report_close(const transport::Loss& loss) {
  call(Env(), options_.on_close,
       {number(Env(), loss.error), Napi::String::New(Env(), phase_name(loss.phase)),
        Napi::String::New(Env(), loss.detail)});
}

void ConnectionObject::on_environment_end() {
  // What belongs to JavaScript is released with this object: Deno has no scope for handles any more.
  disconnect();
  discard_rest();
}

}  // namespace busbar
