// The fast transport of message buses: sd-bus connects and authenticates, then the socket is ours.
//
// Nothing can be lost in sd-bus's buffer: a bus does not speak before it is greeted, and greeting it is the
// first thing that is sent here. sd-bus goes on to own the socket, but is not asked to process it again.
// Where there is no one socket for both directions, sd-bus stays in charge of the connection.
#pragma once

#include <memory>
#include <utility>

#include "transport/sdbus_transport.h"
#include "transport/socket_stream.h"

namespace busbar::transport {

class SocketTransport final : public Transport {
 public:
  SocketTransport(const sdbus::Api& api, Endpoint endpoint) : sdbus_(api, std::move(endpoint)) {}

  int start() override { return sdbus_.start(); }
  Progress open() override;
  Progress process(Inbox& inbox) override;
  Wants wants() override { return stream_ == nullptr ? sdbus_.wants() : stream_->wants(); }
  void send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
            std::vector<Refusal>& refused) override;
  void hurry() override {
    if (stream_ != nullptr) stream_->hurry();
  }
  uint64_t pending_bytes() const override;
  void write() override;
  void flush(uint32_t milliseconds) override;
  bool has_heard() const override { return sdbus_.has_heard(); }
  bool has_unread() override { return stream_ == nullptr ? sdbus_.has_unread() : stream_->has_unread(); }
  Phase phase() const override { return sdbus_.phase(); }
  bool can_send_fds() const override { return sdbus_.can_send_fds(); }
  void close() override;

 private:
  // Where there is one socket.
  void take_over();

  SdBusTransport sdbus_;
  // From the take-over until the connection is closed.
  std::unique_ptr<SocketStream> stream_;
};

}  // namespace busbar::transport
