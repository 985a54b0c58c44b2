// From the handshake to the messages.
#include "transport/handshake_transport.h"

#include <algorithm>
#include <cerrno>

#include "wire/header.h"

namespace busbar::transport {

Progress HandshakeTransport::process(Inbox& inbox) {
  return stream_ == nullptr ? Progress{} : stream_->process(inbox);
}

Progress HandshakeTransport::open() {
  Progress progress;
  if (handshake_.fd() < 0) return progress;
  handshake_.step();
  progress.lost = handshake_.loss();
  // What the peer has said already waits until the owner knows that the connection is open.
  progress.opened = handshake_.is_done() && !progress.lost;
  if (!progress.opened) return progress;
  stream_ = std::make_unique<SocketStream>(handshake_.fd(), handshake_.can_send_fds());
  stream_->adopt(handshake_.rest(), handshake_.fds());
  handshake_.forget_rest();
  return progress;
}

void HandshakeTransport::send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
                              std::vector<Refusal>& refused) {
  if (stream_ != nullptr) return stream_->send(bytes, fds, refused);
  // It is not open yet, or not any more.
  wire::Header header;
  while (!bytes.empty() && wire::read_header(bytes, header).is_sound()) {
    refused.push_back({header.serial, ENOTCONN});
    bytes = bytes.subspan(std::min(bytes.size(), (header.message_length() + 7) & ~size_t{7}));
  }
}

void HandshakeTransport::write() {
  if (stream_ != nullptr) stream_->write_queued();
}

void HandshakeTransport::flush(uint32_t milliseconds) {
  if (stream_ != nullptr) stream_->flush(milliseconds);
}

void HandshakeTransport::close() {
  if (stream_ != nullptr) stream_->write_queued();
  stream_.reset();
  handshake_.close();
}

}  // namespace busbar::transport
