// The receiving half of a socket: as many messages as there are with one system call, framed and stored.
//
// Most messages pass through one buffer, which the reader has only while there are bytes in it. A message
// that is larger than half of it gets memory of its own, of the right size, and the kernel writes its body to
// where it stays.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "transport/message_store.h"

namespace busbar::transport {

class SocketReader {
 public:
  // Why nothing more will come: a positive errno, and what was wrong with the bytes if that was it.
  struct End {
    int error;
    std::string detail;
  };

  // Borrows the socket. Where this side did not agree to `take_fds`, descriptors are closed as they come.
  explicit SocketReader(int fd, bool take_fds = true);
  ~SocketReader();

  // Before the first `read`: what the handshake has received of the stream, which is at most 64 KiB.
  void adopt(std::span<const uint8_t> bytes, FdQueue& fds);
  // Stores what there is, until the batch is full, or the turn has taken long enough, or nothing is left.
  void read(inbox::Inbox& inbox);
  // Whether there is something to store that the socket will not tell of: what was adopted, or what the last
  // batch had no room for.
  bool has_held() const { return held_; }
  // Whether the last `read` has seen everything that the socket had.
  bool is_drained() const { return drained_; }
  // Set when everything that came before was stored.
  const std::optional<End>& end() const { return end_; }

 private:
  struct Large;

  // Reads until the turn has taken long enough.
  void read_turn(inbox::Inbox& inbox);
  // False when no more is to be read in this turn.
  bool store_messages(inbox::Inbox& inbox);
  void begin_large(std::span<const uint8_t> buffered, const wire::Frame& frame, const inbox::Limits& limits);
  // Takes what it lacks of what was buffered.
  void fill_large();
  MessageStore::Stored store_large(inbox::Inbox& inbox);
  // Returns how many bytes came: 0 when none are there, or the stream has ended.
  size_t receive();
  void distribute(size_t count);
  void take_control(msghdr& message);
  void end_with(wire::Verdict verdict);

  const int fd_;
  // Null between turns if there are no bytes left.
  inbox::SpareBuffer::Bytes buffer_;
  size_t begin_ = 0;
  size_t end_of_data_ = 0;
  std::unique_ptr<Large> large_;
  MessageStore store_;
  bool held_ = false;
  bool drained_ = false;
  std::optional<End> end_;
};

}  // namespace busbar::transport
