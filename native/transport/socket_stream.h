// Both halves of a connected socket, from the first message on.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "transport/gathering.h"
#include "transport/socket_reader.h"
#include "transport/socket_writer.h"

namespace busbar::transport {

// The methods are those of Transport.
class SocketStream {
 public:
  // Borrows the socket.
  SocketStream(int socket, bool take_fds) : fd_(socket), reader_(socket, take_fds), writer_(socket) {}

  // See SocketReader::adopt.
  void adopt(std::span<const uint8_t> bytes, FdQueue& fds) { reader_.adopt(bytes, fds); }

  Progress process(inbox::Inbox& inbox);
  Wants wants() const;
  void send(std::span<const uint8_t> bytes, std::span<const int32_t> fds, std::vector<Refusal>& refused);
  void end_rest();
  // See Transport.
  bool has_unread() const;
  uint64_t pending_bytes() const { return writer_.pending_bytes(); }
  void flush(uint32_t milliseconds);
  // Writes what waits, as far as the kernel takes it.
  void write_queued();

 private:
  // Tells Gathering what a read has brought.
  void pace(const inbox::Inbox& inbox);
  std::optional<Loss> loss() const;

  const int fd_;
  SocketReader reader_;
  SocketWriter writer_;
  Gathering gathering_;
  bool drain_awaited_ = false;
  // Everything was written since, and the owner was not told yet.
  bool drained_ = false;
};

}  // namespace busbar::transport
