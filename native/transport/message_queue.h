// Messages that wait to be given on one by one: copied, with descriptors of their own. Small ones share
// memory, so that half a million of them cost little more than their bytes.
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
  // Of all messages, without what is between them.
  uint64_t bytes() const { return bytes_; }
  // Adds a message, whose descriptors are duplicated. False, with errno, where that fails.
  [[nodiscard]] bool push(std::span<const uint8_t> message, std::span<const int32_t> fds);
  // The first message, from an 8-byte boundary, and its descriptors. Not to be asked of an empty queue.
  std::span<const uint8_t> front() const;
  std::span<const int32_t> front_fds() const { return chunks_.front().fds; }
  void pop();
  // Drops all of them.
  void clear();

 private:
  struct Chunk {
    std::vector<uint8_t> bytes;
    // Of its messages, in order, and which of them comes first, from where.
    std::vector<uint32_t> lengths;
    size_t next = 0;
    size_t offset = 0;
    // Of the one message there is, where there are any. Owned.
    std::vector<int32_t> fds;
  };

  std::deque<Chunk> chunks_;
  uint64_t bytes_ = 0;
};

}  // namespace busbar::transport
