// The fast transport without sd-bus: a socket of our own from the beginning. It is that of peers, of clients
// and of servers: a peer may speak first, so that its socket could not be taken over from sd-bus, which may
// have read from it already. And it is that of buses where sd-bus does not get in, or is not there.
#pragma once

#include <memory>
#include <utility>

#include "transport/handshake.h"
#include "transport/socket_stream.h"

namespace busbar::transport {

class HandshakeTransport final : public Transport {
 public:
  explicit HandshakeTransport(Endpoint endpoint) : handshake_(std::move(endpoint)) {}

  int start() override { return handshake_.start(); }
  Progress open() override;
  Progress process(Inbox& inbox) override;
  Wants wants() override { return stream_ == nullptr ? handshake_.wants() : stream_->wants(); }
  void send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
            std::vector<Refusal>& refused) override;
  void hurry() override {
    if (stream_ != nullptr) stream_->hurry();
  }
  uint64_t pending_bytes() const override { return stream_ == nullptr ? 0 : stream_->pending_bytes(); }
  void write() override;
  void flush(uint32_t milliseconds) override;
  bool has_heard() const override { return handshake_.has_heard(); }
  bool has_unread() override { return stream_ != nullptr && stream_->has_unread(); }
  Phase phase() const override { return handshake_.phase(); }
  bool can_send_fds() const override { return handshake_.can_send_fds(); }
  void close() override;

 private:
  // Goes on owning the socket.
  Handshake handshake_;
  // From the end of the handshake until the connection is closed.
  std::unique_ptr<SocketStream> stream_;
};

}  // namespace busbar::transport
