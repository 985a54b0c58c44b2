// The fast transport of message buses: sd-bus connects and authenticates, then the socket is ours.
//
// Nothing can be lost in sd-bus's buffer: a bus does not speak before it is greeted, and greeting it is the
// first thing that is sent here. sd-bus goes on to own the socket, but is not asked to process it again.
// Where there is no one socket for both directions, sd-bus stays in charge of the connection.
#pragma once

#include <memory>
#include <string>

#include "transport/sdbus_transport.h"
#include "transport/socket_reader.h"
#include "transport/socket_writer.h"

namespace busbar::transport {

class SocketTransport final : public Transport {
 public:
  SocketTransport(const sdbus::Api& api, Endpoint endpoint) : sdbus_(api, std::move(endpoint)) {}

  int start() override { return sdbus_.start(); }
  Progress process(Inbox& inbox) override;
  Wants wants() override;
  void send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
            std::vector<Refusal>& refused) override;
  uint64_t pending_bytes() const override;
  void flush(uint32_t milliseconds) override;
  Phase phase() const override { return sdbus_.phase(); }
  bool can_send_fds() const override { return sdbus_.can_send_fds(); }
  void close() override;

 private:
  // Exists from the take-over until the connection is closed.
  struct Stream {
    explicit Stream(int socket) : fd(socket), reader(socket), writer(socket) {}

    int fd;
    SocketReader reader;
    SocketWriter writer;
    bool drain_awaited = false;
    // Everything was written since, which the owner was not told yet.
    bool drained = false;
  };

  enum class Stage { kConnecting, kSocket, kSdBus, kClosed };

  Progress connect(Inbox& inbox);
  bool take_over();
  void write_queued();
  std::optional<Loss> loss() const;

  Stage stage_ = Stage::kConnecting;
  SdBusTransport sdbus_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace busbar::transport
