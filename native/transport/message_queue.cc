// Keeps messages in chunks of memory, first in, first out.
#include "transport/message_queue.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace busbar::transport {

namespace {

// Small messages share memory up to this size.
constexpr size_t kChunkLength = size_t{64} * 1024;

size_t aligned(size_t length) { return (length + 7) & ~size_t{7}; }

void close_all(std::vector<int32_t>& fds) {
  for (const int32_t fd : fds) ::close(fd);
  fds.clear();
}

}  // namespace

bool MessageQueue::push(std::span<const uint8_t> message, std::span<const int32_t> fds) {
  std::vector<int32_t> copies;
  for (const int32_t fd : fds) {
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
      const int error = errno;
      close_all(copies);
      errno = error;
      return false;
    }
    copies.push_back(copy);
  }
  // A message with descriptors has a chunk of its own, which they belong to.
  if (chunks_.empty() || !fds.empty() || !chunks_.back().fds.empty() ||
      chunks_.back().bytes.size() + message.size() > kChunkLength) {
    chunks_.emplace_back();
    if (fds.empty() && message.size() < kChunkLength) chunks_.back().bytes.reserve(kChunkLength);
  }
  Chunk& chunk = chunks_.back();
  chunk.bytes.resize(aligned(chunk.bytes.size()));
  chunk.bytes.insert(chunk.bytes.end(), message.begin(), message.end());
  chunk.lengths.push_back(static_cast<uint32_t>(message.size()));
  chunk.fds = std::move(copies);
  bytes_ += message.size();
  return true;
}

std::span<const uint8_t> MessageQueue::front() const {
  const Chunk& chunk = chunks_.front();
  return {chunk.bytes.data() + chunk.offset, chunk.lengths[chunk.next]};
}

void MessageQueue::pop() {
  Chunk& chunk = chunks_.front();
  const size_t length = chunk.lengths[chunk.next];
  bytes_ -= length;
  chunk.offset += aligned(length);
  if (++chunk.next < chunk.lengths.size()) return;
  close_all(chunk.fds);
  chunks_.pop_front();
}

void MessageQueue::clear() {
  for (Chunk& chunk : chunks_) close_all(chunk.fds);
  chunks_.clear();
  bytes_ = 0;
}

}  // namespace busbar::transport
