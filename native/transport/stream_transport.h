// The fast transport: a connector connects and authenticates, then a SocketStream reads and writes.
//
// The connector is sd-bus on message buses, and a handshake of our own with peers and where sd-bus does not
// get in (see docs/architecture.md, "Two transports").
#pragma once

#include <memory>
#include <utility>

#include "transport/connector.h"

namespace busbar::transport {

class StreamTransport final : public Transport {
 public:
  explicit StreamTransport(std::unique_ptr<Connector> connector) : connector_(std::move(connector)) {}

  int start() override { return connector_->start(); }
  Progress open() override;
  Progress process(inbox::Inbox& inbox) override;
  Wants wants() override { return stream_ == nullptr ? connector_->wants() : stream_->wants(); }
  void send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
            std::vector<Refusal>& refused) override;
  void end_rest() override {
    if (stream_ != nullptr) stream_->end_rest();
  }
  uint64_t pending_bytes() const override;
  void write() override;
  void flush(uint32_t milliseconds) override;
  bool has_heard() const override { return connector_->has_heard(); }
  bool has_unread() override { return stream_ == nullptr ? connector_->has_unread() : stream_->has_unread(); }
  Phase phase() const override { return connector_->phase(); }
  bool can_send_fds() const override { return connector_->can_send_fds(); }
  void close() override;

 private:
  // Goes on owning the socket.
  std::unique_ptr<Connector> connector_;
  // From the take-over until the connection is closed.
  std::unique_ptr<SocketStream> stream_;
};

}  // namespace busbar::transport
