// Drives sd-bus step by step, bounds what waits on both sides of it, and tells apart how connections end,
// which sd-bus does not.
#include "transport/sdbus_transport.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "sdbus/bridge_in.h"
#include "sdbus/bridge_out.h"
#include "transport/socket_address.h"
#include "transport/socket_state.h"
#include "wire/header.h"

namespace busbar::transport {

using inbox::Inbox;

namespace {

// How long reading may hold the loop before timers and other I/O get their turn.
constexpr uint64_t kBudgetMicroseconds = 1000;
// The limits of messages that are kept because sd-bus reads them while the transport only writes.
constexpr size_t kMaxHeld = 4096;
constexpr size_t kMaxHeldBytes = size_t{16} * 1024 * 1024;
// The limits of the messages that sd-bus has at a time.
constexpr size_t kMaxGiven = 256;
constexpr uint64_t kMaxGivenBytes = uint64_t{1024} * 1024;
// How many messages are given on before the owner gets a turn, where the other side takes them at once.
constexpr size_t kFeedBudget = 1024;

}  // namespace

int SdBusTransport::begin() {
  bus_.set_anonymous(endpoint_.anonymous);
  if (!endpoint_.socket) return bus_.start(endpoint_.address.c_str());
  return bus_.serve_fd(std::move(endpoint_.socket), endpoint_.guid.value_or(wire::Guid{}));
}

int SdBusTransport::start() {
  const int r = begin();
  if (r < 0) return -r;
  send_at_once(bus_.fd());
  observe_connecting();
  return loss_ ? loss_->error : 0;
}

Progress SdBusTransport::process(Inbox& inbox) {
  Progress progress;
  unread_ = false;
  const uint64_t stop_at = monotonic_now() + kBudgetMicroseconds;
  for (;;) {
    sdbus::Message message;
    if (!held_.empty()) {
      message = std::move(held_.front());
      held_.pop_front();
      if (held_.empty()) held_bytes_ = 0;
    } else {
      const Step taken = step(message);
      if (taken == Step::kIdle || taken == Step::kLost) break;
    }
    if (message) {
      const sdbus::Stored stored = sdbus::store_message(bus_.api(), message.get(), inbox);
      if (stored == sdbus::Stored::kBatchFull) held_.push_front(std::move(message));
      if (stored == sdbus::Stored::kBatchFull || inbox.is_full()) break;
    }
    if (monotonic_now() >= stop_at) break;
  }
  feed();
  progress.refused = std::exchange(refused_, {});
  progress.drained = std::exchange(drained_, false);
  if (held_.empty()) progress.lost = loss_;
  return progress;
}

Progress SdBusTransport::open() {
  if (!has_heard_) has_heard_ = is_readable(bus_.fd());
  Progress progress;
  sdbus::Message message;
  Step taken = Step::kAgain;
  progress.opened = bus_.is_ready();
  while (taken == Step::kAgain && !progress.opened) {
    taken = step(message);
    progress.opened = bus_.is_ready();
  }
  if (progress.opened) phase_ = Phase::kOpen;
  unread_ = progress.opened;
  if (message) hold(std::move(message));
  progress.lost = loss_;
  return progress;
}

std::unique_ptr<SocketStream> SdBusTransport::take_over() {
  // Negative where sd-bus reads and writes different descriptors.
  const int fd = bus_.fd();
  int type = 0;
  socklen_t length = sizeof type;
  if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM)
    return nullptr;
  return std::make_unique<SocketStream>(fd, can_send_fds());
}

bool SdBusTransport::has_unread() {
  // The only way to know what is in the buffers of sd-bus is to have it go on.
  sdbus::Message message;
  Step taken = Step::kAgain;
  while (held_.empty() && taken == Step::kAgain) {
    taken = step(message);
    if (message) hold(std::move(message));
  }
  return !held_.empty();
}

SdBusTransport::Step SdBusTransport::step(sdbus::Message& message) {
  if (loss_) return Step::kLost;
  if (phase_ != Phase::kOpen) observe_connecting();
  if (loss_) return Step::kLost;
  const uint64_t deadline = bus_.deadline();
  const int r = bus_.process(message);
  // sd-bus reports the loss in its next step, by a message that it makes up; by then it has closed the
  // socket, which the owner must stop watching first.
  if (r < 0 || !bus_.is_open()) {
    message.reset();
    const bool timed_out = phase_ != Phase::kOpen && deadline != 0 && deadline <= monotonic_now();
    // A clean end of the stream is a loss too: only this side closes connections in good order.
    lose(r < 0 ? -r : timed_out ? ETIMEDOUT : ECONNRESET);
    return Step::kLost;
  }
  if (message) return Step::kMessage;
  return r > 0 ? Step::kAgain : Step::kIdle;
}

void SdBusTransport::lose(int error) {
  if (!loss_) loss_ = Loss{error, phase_, {}};
}

void SdBusTransport::observe_connecting() {
  const int fd = bus_.fd();
  if (fd < 0) return;
  int error = 0;
  socklen_t length = sizeof error;
  // Reading the error clears it, so sd-bus must not be asked any more after one was found.
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error != 0) return lose(error);
  sockaddr_storage peer{};
  length = sizeof peer;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0) phase_ = Phase::kAuthenticate;
}

Wants SdBusTransport::wants() {
  Wants wants;
  wants.fd = bus_.fd();
  const int events = bus_.events();
  wants.readable = events > 0 && (events & POLLIN);
  const bool must_wait = waits_for_socket();
  wants.writable = (events > 0 && (events & POLLOUT)) || must_wait;
  const bool unreported = loss_ || unread_ || !held_.empty() || drained_ || !bus_.is_open() ||
                          !refused_.empty() || (!waiting_.is_empty() && given_sizes_.empty() && !must_wait) ||
                          (phase_ != Phase::kOpen && bus_.is_ready());
  wants.deadline = unreported ? 0 : bus_.deadline();
  return wants;
}

void SdBusTransport::send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
                          std::vector<Refusal>& refused) {
  size_t offset = 0;
  while (offset < bytes.size()) {
    const std::span<const uint8_t> rest = bytes.subspan(offset);
    wire::Header header;
    if (!wire::read_header(rest, header).is_sound()) {
      // Without a sound header there is no telling where the next message begins.
      refused.push_back({header.serial, EBADMSG});
      break;
    }
    if (header.message_length() > rest.size()) {
      refused.push_back({header.serial, EBADMSG});
      break;
    }
    const int r = send_or_queue(header, rest.first(header.message_length()), fds);
    if (r < 0) refused.push_back({header.serial, -r, header.reply_serial, std::string(header.destination)});
    offset += (header.message_length() + 7) & ~size_t{7};
  }
  account_writes();
  drain_awaited_ = pending_bytes() > 0;
}

int SdBusTransport::send_or_queue(const wire::Header& header, std::span<const uint8_t> message,
                                  std::span<const int32_t> fds) {
  if (!bus_.is_open() || loss_) return -ENOTCONN;
  // Swapping is for what peers send; our own messages are in the seam's byte order.
  if (header.swapped) return -EINVAL;
  if (waiting_.is_empty() && may_pass(!fds.empty())) return pass_to_sdbus(header, message, fds);
  return waiting_.push(message, fds) ? 0 : -errno;
}

int SdBusTransport::pass_to_sdbus(const wire::Header& header, std::span<const uint8_t> message,
                                  std::span<const int32_t> fds) {
  sdbus::Message built;
  int r = sdbus::build_message(bus_.api(), bus_.get(), header,
                               message.subspan(header.body_offset, header.body_length), fds, built);
  if (r < 0) return r;
  r = bus_.send(built.get());
  if (r < 0) return r == -ECONNRESET ? -ENOTCONN : r;
  given_sizes_.push_back(static_cast<uint32_t>(header.message_length()));
  given_bytes_ += header.message_length();
  return 0;
}

bool SdBusTransport::may_pass(bool with_fds) {
  if (!has_room(with_fds)) account_writes();
  return has_room(with_fds) && (!with_fds || is_writable(bus_.fd()));
}

bool SdBusTransport::has_room(bool with_fds) const {
  if (with_fds) return given_sizes_.empty();
  return given_sizes_.size() < kMaxGiven && given_bytes_ < kMaxGivenBytes;
}

bool SdBusTransport::waits_for_socket() const {
  return !waiting_.is_empty() && given_sizes_.empty() && !waiting_.front_fds().empty() &&
         !is_writable(bus_.fd());
}

void SdBusTransport::feed() {
  account_writes();
  for (size_t fed = 0; fed < kFeedBudget && !waiting_.is_empty() && bus_.is_open() && !loss_; fed++) {
    if (!may_pass(!waiting_.front_fds().empty())) break;
    wire::Header header;
    const std::span<const uint8_t> message = waiting_.front();
    // It was sound when it was taken.
    if (wire::read_header(message, header).is_sound()) {
      const int r = pass_to_sdbus(header, message, waiting_.front_fds());
      if (r < 0)
        refused_.push_back({header.serial, -r, header.reply_serial, std::string(header.destination)});
    }
    waiting_.pop();
  }
  account_writes();
}

void SdBusTransport::account_writes() {
  // Messages that were queued when the connection was lost have not been written, so there is no drain.
  if (!bus_.is_open()) return;
  const uint64_t queued = given_sizes_.empty() ? 0 : bus_.queued_writes();
  while (given_sizes_.size() > queued) {
    given_bytes_ -= given_sizes_.front();
    given_sizes_.pop_front();
  }
  if (pending_bytes() == 0 && std::exchange(drain_awaited_, false)) drained_ = true;
}

void SdBusTransport::hold(sdbus::Message message) {
  held_bytes_ += sdbus::body_length(bus_.api(), message.get());
  held_.push_back(std::move(message));
}

void SdBusTransport::write() {
  const uint64_t stop_at = monotonic_now() + kBudgetMicroseconds;
  feed();
  while (monotonic_now() < stop_at && write_once(0)) {
  }
}

void SdBusTransport::flush(uint32_t milliseconds) {
  const uint64_t stop_at = monotonic_now() + uint64_t{milliseconds} * 1000;
  feed();
  for (;;) {
    const uint64_t now = monotonic_now();
    if (!write_once(now < stop_at ? static_cast<int>((stop_at - now + 999) / 1000) : 0)) return;
  }
}

bool SdBusTransport::write_once(int milliseconds) {
  if (loss_ || pending_bytes() == 0 || held_.size() >= kMaxHeld || held_bytes_ >= kMaxHeldBytes) return false;
  // Reading is put off where it can be: what arrives has to be kept.
  const int events = phase_ == Phase::kOpen ? POLLOUT : bus_.events();
  pollfd watched{bus_.fd(), static_cast<short>(events > 0 ? events : POLLIN), 0};
  const int ready = ::poll(&watched, 1, milliseconds);
  if (ready <= 0) return ready < 0 && errno == EINTR;
  sdbus::Message message;
  if (step(message) == Step::kMessage) hold(std::move(message));
  feed();
  return true;
}

void SdBusTransport::close() {
  flush(0);
  held_.clear();
  held_bytes_ = 0;
  bus_.close();
  waiting_.clear();
  given_sizes_.clear();
  given_bytes_ = 0;
}

}  // namespace busbar::transport
