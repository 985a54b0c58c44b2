// The sending half of a socket: messages that come together leave with one system call. What the kernel does
// not take waits here, copied, with descriptors of its own.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "transport/transport.h"

namespace busbar::transport {

class SocketWriter {
 public:
  // Borrows the socket.
  explicit SocketWriter(int fd) : fd_(fd) {}
  SocketWriter(const SocketWriter&) = delete;
  SocketWriter& operator=(const SocketWriter&) = delete;
  ~SocketWriter() { discard(); }

  // See Transport::send.
  void send(std::span<const uint8_t> bytes, std::span<const int32_t> fds, std::vector<Refusal>& refused);
  // Writes what waits, as far as the kernel takes it.
  void write_queued();
  bool has_queued() const { return !queue_.empty(); }
  uint64_t pending_bytes() const { return pending_bytes_; }
  // When to write what waits, on the clock of `monotonic_now`, where the kernel had no memory for it: no
  // event tells when it has. 0 where it waits until the socket is writable.
  uint64_t retry_at() const { return retry_at_; }
  // The serial of the last message that was to be sent; 0 before the first.
  uint32_t last_serial() const { return last_serial_; }
  // Whether there was a call in the last `send` that awaits a reply.
  bool has_sent_call() const { return has_sent_call_; }
  // A positive errno if nothing can be written any more; what waited is dropped then.
  int error() const { return error_; }
  // Messages that had waited and were refused when they were to be sent, since the last call.
  std::vector<Refusal> take_refused() { return std::exchange(refused_, {}); }
  bool has_refused() const { return !refused_.empty(); }
  // Drops what waits.
  void discard();

 private:
  struct Chunk {
    std::vector<uint8_t> bytes;
    size_t written = 0;
    // They go with the first byte; the chunk is then one message. Owned, unlike those that `send` gets.
    std::vector<int> fds;
  };

  // Finds the messages in `bytes`, and refuses bytes that are none.
  void split(std::span<const uint8_t> bytes, std::vector<Refusal>& refused);
  void send_plain(std::vector<Refusal>& refused);
  void send_with_fds(std::span<const int32_t> fds, std::vector<Refusal>& refused);
  // Writes parts in order, and trims what was written. False when the kernel takes no more, or never will.
  bool write(std::span<iovec>& parts);
  // One call of sendmsg; a negative errno if it fails.
  ssize_t write_once(std::span<iovec> parts, std::span<const int> fds);
  void enqueue(const iovec& part);
  bool enqueue_with_fds(const iovec& part, std::span<const int32_t> fds);
  // The descriptors of the first chunk are refused: that costs its one message.
  void refuse_front(int error);
  void break_off(int error);
  void retry_later();
  // Takes `count` bytes off the queue.
  void take_written(size_t count);

  const int fd_;
  int error_ = 0;
  uint32_t last_serial_ = 0;
  bool has_sent_call_ = false;
  uint64_t pending_bytes_ = 0;
  uint64_t retry_at_ = 0;
  std::deque<Chunk> queue_;
  std::vector<Refusal> refused_;
  // The messages of the current `send`.
  std::vector<iovec> parts_;
};

}  // namespace busbar::transport
