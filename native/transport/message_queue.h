// Messages that wait for room in sd-bus: copied, with descriptors of their own. Small ones share memory, so
// that half a million of them take little more than their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace busbar::transport {

class MessageQueue {
 public:
  MessageQueue() = default;
  MessageQueue(const MessageQueue&) = delete;
  MessageQueue& operator=(const MessageQueue&) = delete;
  ~MessageQueue() { clear(); }

  bool is_empty() const { return chunks_.empty(); }
  // The length of all messages, without the padding between them.
  uint64_t bytes() const { return bytes_; }
  // Adds a message, whose descriptors are duplicated. False, with errno, where that fails.
  [[nodiscard]] bool push(std::span<const uint8_t> message, std::span<const int32_t> fds);
  // The first message, from an 8-byte boundary, and its descriptors. The queue must not be empty.
  std::span<const uint8_t> front() const;
  std::span<const int32_t> front_fds() const { return chunks_.front().fds; }
  void pop();
  // Drops all of them.
  void clear();

 private:
  struct Chunk {
    std::vector<uint8_t> bytes;
    // The lengths of its messages, in order; which of them comes first, and where it begins.
    std::vector<uint32_t> lengths;
    size_t next = 0;
    size_t offset = 0;
    // The descriptors of its one message, if it has any. Owned.
    std::vector<int32_t> fds;
  };

  std::deque<Chunk> chunks_;
  uint64_t bytes_ = 0;
};

}  // namespace busbar::transport
