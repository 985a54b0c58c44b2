// Joins the two halves of the socket, behind the connection that sd-bus made.
#include "transport/socket_transport.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace busbar::transport {

Progress SocketTransport::process(Inbox& inbox) {
  if (stage_ == Stage::kConnecting) return connect(inbox);
  if (stream_ == nullptr) return sdbus_.process(inbox);
  Progress progress;
  write_queued();
  stream_->reader.read(inbox);
  progress.drained = std::exchange(stream_->drained, false);
  progress.lost = loss();
  return progress;
}

Progress SocketTransport::connect(Inbox& inbox) {
  Progress progress = sdbus_.connect();
  if (!progress.opened) return progress;
  stage_ = take_over() ? Stage::kSocket : Stage::kSdBus;
  // sd-bus may have messages already.
  if (stage_ == Stage::kSdBus) progress = sdbus_.process(inbox);
  progress.opened = true;
  return progress;
}

bool SocketTransport::take_over() {
  const int fd = sdbus_.socket();
  int type = 0;
  socklen_t length = sizeof type;
  if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM) return false;
  stream_ = std::make_unique<Stream>(fd);
  return true;
}

std::optional<Loss> SocketTransport::loss() const {
  const SocketReader& reader = stream_->reader;
  // First of all what came before is delivered: a bus may have said why it hung up.
  if (reader.has_held()) return std::nullopt;
  if (reader.end()) return Loss{reader.end()->error, Phase::kOpen, reader.end()->detail};
  // The other side does not read any more, and has nothing more to say.
  if (stream_->writer.error() == 0 || !reader.is_drained()) return std::nullopt;
  return Loss{stream_->writer.error() == EPIPE ? ECONNRESET : stream_->writer.error(), Phase::kOpen, {}};
}

Wants SocketTransport::wants() {
  if (stream_ == nullptr) return sdbus_.wants();
  Wants wants;
  wants.fd = stream_->fd;
  wants.readable = true;
  wants.writable = stream_->writer.has_queued();
  const bool has_news =
      stream_->reader.has_held() || stream_->reader.end() || stream_->writer.error() != 0 || stream_->drained;
  if (has_news) {
    wants.deadline = 0;
  } else if (const uint64_t until = stream_->reader.rests_until(); until != 0) {
    wants.readable = false;
    wants.deadline = until;
  }
  return wants;
}

void SocketTransport::send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
                           std::vector<Refusal>& refused) {
  if (stream_ == nullptr) return sdbus_.send(bytes, fds, refused);
  stream_->writer.send(bytes, fds, refused);
  stream_->reader.end_rest();
  stream_->drain_awaited = stream_->writer.has_queued();
}

uint64_t SocketTransport::pending_bytes() const {
  return stream_ == nullptr ? sdbus_.pending_bytes() : stream_->writer.pending_bytes();
}

void SocketTransport::write_queued() {
  SocketWriter& writer = stream_->writer;
  if (!writer.has_queued()) return;
  writer.write_queued();
  // What was dropped when the connection broke has not been written, so it does not drain either.
  if (writer.has_queued() || writer.error() != 0) return;
  if (std::exchange(stream_->drain_awaited, false)) stream_->drained = true;
}

void SocketTransport::flush(uint32_t milliseconds) {
  if (stream_ == nullptr) return sdbus_.flush(milliseconds);
  const uint64_t stop_at = monotonic_now() + uint64_t{milliseconds} * 1000;
  write_queued();
  while (stream_->writer.has_queued()) {
    const uint64_t now = monotonic_now();
    if (now >= stop_at) return;
    pollfd watched{stream_->fd, POLLOUT, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>((stop_at - now + 999) / 1000));
    if (ready < 0 && errno != EINTR) return;
    write_queued();
  }
}

void SocketTransport::close() {
  if (stream_ != nullptr) write_queued();
  stream_.reset();
  stage_ = Stage::kClosed;
  sdbus_.close();
}

}  // namespace busbar::transport
