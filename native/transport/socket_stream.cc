// Joins the two halves: reads at the pace of Gathering, and tells when a connection has ended for both.
#include "transport/socket_stream.h"

#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace busbar::transport {

using inbox::Inbox;

namespace {

// A shorter rest costs more than it saves.
constexpr uint64_t kShortestRest = 50;

Gathering::Kind kind_of(const Inbox& inbox) {
  if (inbox.has_calls()) return Gathering::Kind::kCalls;
  return inbox.last_reply_serial() == 0 ? Gathering::Kind::kSignals : Gathering::Kind::kReplies;
}

}  // namespace

Progress SocketStream::process(Inbox& inbox) {
  Progress progress;
  write_queued();
  reader_.read(inbox);
  pace(inbox);
  progress.refused = writer_.take_refused();
  progress.drained = std::exchange(drained_, false);
  progress.lost = loss();
  return progress;
}

void SocketStream::pace(const Inbox& inbox) {
  if (inbox.is_empty()) return;
  const Gathering::Kind kind = kind_of(inbox);
  const uint32_t waiting =
      kind == Gathering::Kind::kReplies ? writer_.last_serial() - inbox.last_reply_serial() : 0;
  gathering_.read(static_cast<uint32_t>(inbox.count()), kind, waiting, monotonic_now());
}

std::optional<Loss> SocketStream::loss() const {
  // Earlier messages are delivered first: one of them may have the reason of the hang-up.
  if (reader_.has_held()) return std::nullopt;
  if (reader_.end()) return Loss{reader_.end()->error, Phase::kOpen, reader_.end()->detail};
  // The other side has stopped reading, and will send nothing more.
  if (writer_.error() == 0 || !reader_.is_drained()) return std::nullopt;
  return Loss{writer_.error() == EPIPE ? ECONNRESET : writer_.error(), Phase::kOpen, {}};
}

bool SocketStream::has_unread() const {
  int bytes = 0;
  return reader_.has_held() || (ioctl(fd_, FIONREAD, &bytes) == 0 && bytes > 0);
}

Wants SocketStream::wants() const {
  Wants wants;
  wants.fd = fd_;
  wants.readable = true;
  const uint64_t retry_at = writer_.retry_at();
  wants.writable = writer_.has_queued() && retry_at == 0;
  const bool has_news =
      reader_.has_held() || reader_.end() || writer_.error() != 0 || writer_.has_refused() || drained_;
  if (has_news) {
    wants.deadline = 0;
  } else if (const uint64_t until = gathering_.rests_until();
             until != 0 && reader_.is_drained() && until > monotonic_now() + kShortestRest) {
    wants.readable = false;
    wants.deadline = until;
  }
  if (retry_at != 0) wants.deadline = std::min(wants.deadline, retry_at);
  return wants;
}

void SocketStream::send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
                        std::vector<Refusal>& refused) {
  writer_.send(bytes, fds, refused);
  if (writer_.has_sent_call()) gathering_.call_sent();
  drain_awaited_ = writer_.has_queued();
}

void SocketStream::end_rest() {
  if (writer_.has_sent_call()) gathering_.end_rest();
}

void SocketStream::write_queued() {
  if (!writer_.has_queued()) return;
  writer_.write_queued();
  // Bytes that were dropped when the connection broke have not been written, so there is no drain.
  if (writer_.has_queued() || writer_.error() != 0) return;
  if (std::exchange(drain_awaited_, false)) drained_ = true;
}

void SocketStream::flush(uint32_t milliseconds) {
  const uint64_t stop_at = monotonic_now() + uint64_t{milliseconds} * 1000;
  write_queued();
  while (writer_.has_queued()) {
    const uint64_t now = monotonic_now();
    if (now >= stop_at) return;
    const uint64_t retry_at = writer_.retry_at();
    const uint64_t until = retry_at == 0 ? stop_at : std::clamp(retry_at, now, stop_at);
    pollfd watched{fd_, static_cast<short>(retry_at == 0 ? POLLOUT : 0), 0};
    const int ready = ::poll(&watched, 1, static_cast<int>((until - now + 999) / 1000));
    if (ready < 0 && errno != EINTR) return;
    write_queued();
  }
}

}  // namespace busbar::transport
