// The take-over of the connection that sd-bus made.
#include "transport/socket_transport.h"

#include <sys/socket.h>

namespace busbar::transport {

Progress SocketTransport::process(Inbox& inbox) {
  return stream_ == nullptr ? sdbus_.process(inbox) : stream_->process(inbox);
}

Progress SocketTransport::open() {
  const Progress progress = sdbus_.open();
  if (progress.opened) take_over();
  return progress;
}

void SocketTransport::take_over() {
  const int fd = sdbus_.socket();
  int type = 0;
  socklen_t length = sizeof type;
  if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM) return;
  stream_ = std::make_unique<SocketStream>(fd, sdbus_.can_send_fds());
}

void SocketTransport::send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
                           std::vector<Refusal>& refused) {
  if (stream_ == nullptr) return sdbus_.send(bytes, fds, refused);
  stream_->send(bytes, fds, refused);
}

uint64_t SocketTransport::pending_bytes() const {
  return stream_ == nullptr ? sdbus_.pending_bytes() : stream_->pending_bytes();
}

void SocketTransport::write() {
  if (stream_ == nullptr) return sdbus_.write();
  stream_->write_queued();
}

void SocketTransport::flush(uint32_t milliseconds) {
  if (stream_ == nullptr) return sdbus_.flush(milliseconds);
  stream_->flush(milliseconds);
}

void SocketTransport::close() {
  if (stream_ != nullptr) stream_->write_queued();
  stream_.reset();
  sdbus_.close();
}

}  // namespace busbar::transport
