// Asks the stream where there is one, and the connector before and after.
#include "transport/stream_transport.h"

namespace busbar::transport {

Progress StreamTransport::process(inbox::Inbox& inbox) {
  return stream_ == nullptr ? connector_->process(inbox) : stream_->process(inbox);
}

Progress StreamTransport::open() {
  Progress progress = connector_->open();
  if (progress.opened) stream_ = connector_->take_over();
  return progress;
}

void StreamTransport::send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
                           std::vector<Refusal>& refused) {
  if (stream_ == nullptr) return connector_->send(bytes, fds, refused);
  stream_->send(bytes, fds, refused);
}

uint64_t StreamTransport::pending_bytes() const {
  return stream_ == nullptr ? connector_->pending_bytes() : stream_->pending_bytes();
}

void StreamTransport::write() {
  if (stream_ == nullptr) return connector_->write();
  stream_->write_queued();
}

void StreamTransport::flush(uint32_t milliseconds) {
  if (stream_ == nullptr) return connector_->flush(milliseconds);
  stream_->flush(milliseconds);
}

void StreamTransport::close() {
  if (stream_ != nullptr) stream_->write_queued();
  stream_.reset();
  connector_->close();
}

}  // namespace busbar::transport
