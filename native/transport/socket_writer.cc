// Writes messages with sendmsg, and queues what the kernel does not take.
#include "transport/socket_writer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "wire/header.h"

namespace busbar::transport {

namespace {

// The kernel's limit (UIO_MAXIOV).
constexpr size_t kMaxParts = 1024;
// SCM_MAX_FD: the kernel takes no more with one message.
constexpr size_t kMaxFds = 253;
// Small messages that wait share memory up to this size.
constexpr size_t kChunkLength = size_t{64} * 1024;
// How long to wait before the next attempt, after the kernel had no memory.
constexpr uint64_t kRetryMicroseconds = 10'000;

uint32_t serial_of(const iovec& message) {
  uint32_t serial;
  std::memcpy(&serial, static_cast<const uint8_t*>(message.iov_base) + 8, sizeof serial);
  return serial;
}

bool awaits_reply(const iovec& message) {
  const uint8_t* header = static_cast<const uint8_t*>(message.iov_base);
  return header[1] == wire::kMethodCall && (header[2] & wire::kNoReplyExpected) == 0;
}

void refuse(std::span<const iovec> messages, int error, std::vector<Refusal>& refused) {
  for (const iovec& message : messages) refused.push_back({serial_of(message), error});
}

// The kernel takes no more for now: what was not taken waits until the socket is writable.
bool is_full(ssize_t result) { return result == -EAGAIN || result == -EWOULDBLOCK; }

// The kernel has no memory for the bytes. It may have some later, and nothing is wrong with the connection;
// but the socket is writable all the time, so that the clock has to tell when to try again.
bool is_short_of_memory(ssize_t result) { return result == -ENOBUFS || result == -ENOMEM; }

bool is_broken(ssize_t result) { return result == -EPIPE || result == -ECONNRESET || result == -ENOTCONN; }

void close_all(std::span<const int> fds) {
  for (const int fd : fds) ::close(fd);
}

}  // namespace

void SocketWriter::send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
                        std::vector<Refusal>& refused) {
  split(bytes, refused);
  if (!parts_.empty()) last_serial_ = serial_of(parts_.back());
  has_sent_call_ = std::any_of(parts_.begin(), parts_.end(), awaits_reply);
  if (error_ != 0) return refuse(parts_, ENOTCONN, refused);
  if (fds.empty()) {
    send_plain(refused);
  } else {
    send_with_fds(fds, refused);
  }
}

void SocketWriter::split(std::span<const uint8_t> bytes, std::vector<Refusal>& refused) {
  parts_.clear();
  while (!bytes.empty()) {
    wire::Frame frame;
    // Swapping is for what peers send; our own messages are in the seam's byte order.
    if (!wire::read_frame(bytes, frame).is_sound() || frame.swapped ||
        frame.message_length() > bytes.size()) {
      // Without a sound header there is no telling where the next message begins.
      const iovec rest{const_cast<uint8_t*>(bytes.data()), bytes.size()};
      refused.push_back({bytes.size() < wire::kFixedHeaderLength ? 0 : serial_of(rest), EBADMSG});
      return;
    }
    parts_.push_back({const_cast<uint8_t*>(bytes.data()), frame.message_length()});
    bytes = bytes.subspan(std::min(bytes.size(), (frame.message_length() + 7) & ~size_t{7}));
  }
}

void SocketWriter::send_plain(std::vector<Refusal>& refused) {
  std::span<iovec> rest = parts_;
  if (queue_.empty()) write(rest);
  if (error_ != 0) {
    // The first of them may be half-written, and its serial lost with the half: the connection is, too.
    if (!rest.empty() && rest.size() < parts_.size()) rest = rest.subspan(1);
    return refuse(rest, ENOTCONN, refused);
  }
  for (const iovec& part : rest) enqueue(part);
}

void SocketWriter::send_with_fds(std::span<const int32_t> fds, std::vector<Refusal>& refused) {
  if (parts_.size() != 1 || fds.size() > kMaxFds) return refuse(parts_, EINVAL, refused);
  iovec part = parts_[0];
  if (queue_.empty()) {
    const ssize_t written = write_once(parts_, fds);
    if (written >= 0) {
      part.iov_base = static_cast<uint8_t*>(part.iov_base) + written;
      part.iov_len -= static_cast<size_t>(written);
      if (part.iov_len > 0) enqueue(part);
      return;
    }
    if (!is_full(written)) {
      // All other errors are about these descriptors.
      if (is_broken(written)) break_off(static_cast<int>(-written));
      return refuse(parts_, is_broken(written) ? ENOTCONN : static_cast<int>(-written), refused);
    }
  }
  if (!enqueue_with_fds(part, fds)) refuse(parts_, errno, refused);
}

bool SocketWriter::write(std::span<iovec>& parts) {
  while (!parts.empty()) {
    const ssize_t written = write_once(parts.first(std::min(parts.size(), kMaxParts)), {});
    if (written < 0) {
      if (is_short_of_memory(written)) {
        retry_later();
      } else if (!is_full(written)) {
        break_off(static_cast<int>(-written));
      }
      return false;
    }
    size_t left = static_cast<size_t>(written);
    while (!parts.empty() && left >= parts[0].iov_len) {
      left -= parts[0].iov_len;
      parts = parts.subspan(1);
    }
    if (left > 0) {
      parts[0].iov_base = static_cast<uint8_t*>(parts[0].iov_base) + left;
      parts[0].iov_len -= left;
    }
  }
  return true;
}

ssize_t SocketWriter::write_once(std::span<iovec> parts, std::span<const int> fds) {
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))];
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    std::memset(control, 0, message.msg_controllen);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  for (;;) {
    const ssize_t written = sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written >= 0) return written;
    if (errno != EINTR) return -errno;
  }
}

void SocketWriter::enqueue(const iovec& part) {
  const uint8_t* bytes = static_cast<const uint8_t*>(part.iov_base);
  pending_bytes_ += part.iov_len;
  if (queue_.empty() || !queue_.back().fds.empty() ||
      queue_.back().bytes.size() + part.iov_len > kChunkLength) {
    queue_.emplace_back();
    if (part.iov_len < kChunkLength) queue_.back().bytes.reserve(kChunkLength);
  }
  std::vector<uint8_t>& chunk = queue_.back().bytes;
  chunk.insert(chunk.end(), bytes, bytes + part.iov_len);
}

bool SocketWriter::enqueue_with_fds(const iovec& part, std::span<const int32_t> fds) {
  Chunk chunk;
  for (const int fd : fds) {
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
      const int error = errno;
      close_all(chunk.fds);
      errno = error;
      return false;
    }
    chunk.fds.push_back(copy);
  }
  const uint8_t* bytes = static_cast<const uint8_t*>(part.iov_base);
  chunk.bytes.assign(bytes, bytes + part.iov_len);
  pending_bytes_ += part.iov_len;
  queue_.push_back(std::move(chunk));
  return true;
}

void SocketWriter::retry_later() { retry_at_ = monotonic_now() + kRetryMicroseconds; }

void SocketWriter::write_queued() {
  retry_at_ = 0;
  while (!queue_.empty()) {
    // A chunk with descriptors goes alone: others attribute them to the bytes that they come with.
    iovec parts[64];
    size_t count = 0;
    for (Chunk& chunk : queue_) {
      if (count == std::size(parts) || (count > 0 && !chunk.fds.empty())) break;
      parts[count++] = {chunk.bytes.data() + chunk.written, chunk.bytes.size() - chunk.written};
      if (!chunk.fds.empty()) break;
    }
    const ssize_t written = write_once({parts, count}, queue_.front().fds);
    if (written >= 0) {
      take_written(static_cast<size_t>(written));
    } else if (is_full(written)) {
      return;
    } else if (is_short_of_memory(written) && queue_.front().fds.empty()) {
      return retry_later();
    } else if (is_broken(written) || queue_.front().fds.empty()) {
      return break_off(static_cast<int>(-written));
    } else {
      refuse_front(static_cast<int>(-written));
    }
  }
}

void SocketWriter::take_written(size_t count) {
  pending_bytes_ -= count;
  // The descriptors went with the first byte.
  close_all(std::exchange(queue_.front().fds, {}));
  while (count > 0) {
    Chunk& chunk = queue_.front();
    const size_t part = std::min(count, chunk.bytes.size() - chunk.written);
    chunk.written += part;
    count -= part;
    if (chunk.written == chunk.bytes.size()) queue_.pop_front();
  }
}

void SocketWriter::refuse_front(int error) {
  // It has descriptors still, so nothing of it was written.
  Chunk& chunk = queue_.front();
  const iovec message{chunk.bytes.data(), chunk.bytes.size()};
  refuse({&message, 1}, error, refused_);
  pending_bytes_ -= chunk.bytes.size();
  close_all(chunk.fds);
  queue_.pop_front();
}

void SocketWriter::break_off(int error) {
  error_ = error;
  discard();
}

void SocketWriter::discard() {
  for (const Chunk& chunk : queue_) close_all(chunk.fds);
  queue_.clear();
  pending_bytes_ = 0;
  retry_at_ = 0;
}

}  // namespace busbar::transport
