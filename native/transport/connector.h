// Makes a connection and then hands over its socket. The ways to a StreamTransport differ only in this part.
//
// A connector is a transport itself, for as long as it has handed nothing over. Most have no use for that:
// without a stream they read and write nothing, and refuse what is to be sent. sd-bus goes on by itself where
// there is no one stream socket for both directions.
#pragma once

#include <memory>

#include "transport/socket_stream.h"
#include "transport/transport.h"

namespace busbar::transport {

class Connector : public Transport {
 public:
  // Once, after it has opened: what moves the messages from now on, over the socket that the connector goes
  // on owning. Null where the connector has to move them itself.
  virtual std::unique_ptr<SocketStream> take_over() = 0;

  Progress process(inbox::Inbox&) override { return {}; }
  void send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
            std::vector<Refusal>& refused) override;
  uint64_t pending_bytes() const override { return 0; }
  void write() override {}
  void flush(uint32_t) override {}
  bool has_unread() override { return false; }
};

}  // namespace busbar::transport
