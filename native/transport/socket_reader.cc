// Receives bytes and descriptors, and finds the messages in them.
#include "transport/socket_reader.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "transport/transport.h"

namespace busbar::transport {

using inbox::Inbox;
using inbox::Limits;
using Stored = MessageStore::Stored;

namespace {

// The number of bytes that one system call asks for. The kernel's queue of a Unix socket seldom holds more.
constexpr size_t kReceiveLength = size_t{64} * 1024;
constexpr size_t kMaxBuffered = kReceiveLength;
// Behind an unfinished message there is still room to receive that much.
static_assert(inbox::SpareBuffer::kLength >= kMaxBuffered + kReceiveLength);

// The limits of a turn, after which timers and other I/O are served. The third limit is the rows of the
// inbox.
constexpr size_t kBudgetBytes = size_t{256} * 1024;
constexpr uint64_t kBudgetMicroseconds = 1000;

// The number of descriptors that may wait for one message: the limit of sd-bus and libdbus.
constexpr size_t kMaxWaitingFds = 1024;

}  // namespace

// A message with memory of its own. Of one that is larger than a message may be only the header is kept, and
// of one whose header is too large only its fixed part: the rest is skipped as it comes.
struct SocketReader::Large {
  wire::Frame frame;
  std::array<uint8_t, wire::kFixedHeaderLength> fixed;
  // With the padding behind it.
  wire::Writer header;
  wire::Writer body;
  size_t received = 0;

  bool is_complete() const { return received == frame.message_length(); }
  bool has_header() const { return header.size() > 0; }
  // The missing bytes of a part that begins at `offset` of the message.
  std::span<uint8_t> missing(wire::Writer& part, size_t offset) {
    const std::span<uint8_t> space = part.space();
    const size_t filled = received < offset ? 0 : std::min(received - offset, space.size());
    return space.subspan(filled);
  }
  std::span<uint8_t> missing_header() { return missing(header, 0); }
  std::span<uint8_t> missing_body() { return missing(body, frame.body_offset); }
  // Bytes that the next ones received are put to, before any go to the buffer.
  size_t wanted() { return missing_header().size() + missing_body().size(); }
};

SocketReader::SocketReader(int fd, bool take_fds) : fd_(fd) {
  if (!take_fds) store_.fds().refuse();
}

SocketReader::~SocketReader() = default;

void SocketReader::adopt(std::span<const uint8_t> bytes, FdQueue& fds) {
  store_.fds().add(fds);
  if (bytes.empty()) return;
  buffer_ = inbox::SpareBuffer().take();
  std::copy(bytes.begin(), bytes.end(), buffer_.get());
  end_of_data_ = bytes.size();
  held_ = true;
}

void SocketReader::read(Inbox& inbox) {
  if (buffer_ == nullptr) buffer_ = inbox.buffer().take();
  read_turn(inbox);
  if (begin_ < end_of_data_) return;
  begin_ = end_of_data_ = 0;
  inbox.buffer().give_back(std::move(buffer_));
}

void SocketReader::read_turn(Inbox& inbox) {
  uint64_t stop_at = 0;
  size_t received = 0;
  held_ = drained_ = false;
  while (store_messages(inbox) && !drained_) {
    // A turn that one system call drains, as most do, needs no clock.
    if (received > 0 && stop_at == 0) stop_at = monotonic_now() + kBudgetMicroseconds;
    if (received >= kBudgetBytes || (stop_at != 0 && monotonic_now() >= stop_at)) return;
    received += receive();
  }
}

bool SocketReader::store_messages(Inbox& inbox) {
  while (!end_) {
    const std::span<const uint8_t> buffered(buffer_.get() + begin_, end_of_data_ - begin_);
    Stored stored = Stored::kBatchFull;
    if (large_ != nullptr) {
      if (!large_->is_complete()) return true;
      if (!inbox.is_full()) stored = store_large(inbox);
    } else {
      wire::Frame frame;
      const wire::Verdict framed = wire::read_frame(buffered, frame);
      if (framed.rule == wire::Rule::kTruncated) return true;
      if (!framed.is_sound()) {
        end_with(framed);
        return false;
      }
      if (frame.message_length() > kMaxBuffered) {
        begin_large(buffered, frame, inbox.limits());
        continue;
      }
      if (buffered.size() < frame.message_length()) return true;
      if (!inbox.is_full()) stored = store_.store(buffered, frame, inbox);
      if (stored == Stored::kDone) begin_ += frame.message_length();
    }
    if (stored == Stored::kBatchFull) {
      held_ = true;
      return false;
    }
    if (stored == Stored::kBroken) {
      end_with(store_.verdict());
      return false;
    }
  }
  return false;
}

void SocketReader::begin_large(std::span<const uint8_t> buffered, const wire::Frame& frame,
                               const Limits& limits) {
  const bool keeps_header = frame.body_offset <= limits.message_size;
  const bool keeps_body = frame.message_length() <= limits.message_size;
  large_ = std::make_unique<Large>(Large{frame,
                                         {},
                                         wire::Writer::filled(keeps_header ? frame.body_offset : 0),
                                         wire::Writer::filled(keeps_body ? frame.body_length : 0),
                                         0});
  if (large_->header.state() != wire::Writer::State::kGood ||
      large_->body.state() != wire::Writer::State::kGood) {
    // The stream could go on behind this message, but its caller would never get an answer.
    end_ = End{ENOMEM, {}};
    return;
  }
  std::copy_n(buffered.begin(), large_->fixed.size(), large_->fixed.begin());
  fill_large();
  // Nothing leaks: the analyzer does not see that moving a writer changes who owns its memory.
}  // NOLINT(clang-analyzer-unix.Malloc)

void SocketReader::fill_large() {
  for (const std::span<uint8_t> part : {large_->missing_header(), large_->missing_body()}) {
    const size_t count = std::min(part.size(), end_of_data_ - begin_);
    if (count > 0) std::memcpy(part.data(), buffer_.get() + begin_, count);
    large_->received += count;
    begin_ += count;
    // The body comes behind all of the header.
    if (count < part.size()) return;
  }
  // Bytes that belong to no part are skipped.
  const size_t skipped = std::min(large_->frame.message_length() - large_->received, end_of_data_ - begin_);
  large_->received += skipped;
  begin_ += skipped;
}

Stored SocketReader::store_large(Inbox& inbox) {
  const size_t following = end_of_data_ - begin_;
  const Stored stored =
      large_->has_header()
          ? store_.store_large(large_->header.bytes(), large_->frame, large_->body, following, inbox)
          : store_.store_unread(large_->fixed, large_->frame, following, inbox);
  if (stored == Stored::kDone) large_.reset();
  return stored;
}

size_t SocketReader::receive() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_of_data_ - begin_);
    end_of_data_ -= begin_;
    begin_ = 0;
  }
  iovec parts[3];
  size_t count = 0, length = 0;
  const auto add = [&](std::span<uint8_t> space) {
    if (space.empty()) return;
    parts[count++] = {space.data(), space.size()};
    length += space.size();
  };
  if (large_ != nullptr) {
    add(large_->missing_header());
    add(large_->missing_body());
  }
  add({buffer_.get() + end_of_data_, kReceiveLength});
  alignas(cmsghdr) char control[FdQueue::kControlLength];
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t received;
  do {
    received = recvmsg(fd_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received <= 0) {
    drained_ = true;
    // A clean end of the stream is a loss too: only this side closes connections in good order.
    if (received == 0) end_ = End{ECONNRESET, {}};
    if (received < 0 && errno != EAGAIN && errno != EWOULDBLOCK) end_ = End{errno, {}};
    return 0;
  }
  const bool has_control = message.msg_controllen > 0 || (message.msg_flags & MSG_CTRUNC) != 0;
  if (has_control) take_control(message);
  // The kernel stops behind bytes that came with descriptors; otherwise it gives all there is.
  drained_ = static_cast<size_t>(received) < length && !has_control;
  distribute(static_cast<size_t>(received));
  return static_cast<size_t>(received);
}

void SocketReader::distribute(size_t count) {
  if (large_ == nullptr) {
    end_of_data_ += count;
    return;
  }
  const size_t part = std::min(count, large_->wanted());
  large_->received += part;
  end_of_data_ += count - part;
  fill_large();
}

void SocketReader::take_control(msghdr& message) {
  store_.fds().add(message);
  if (store_.fds().size() > kMaxWaitingFds) end_with({wire::Rule::kFdFlood, 0});
}

void SocketReader::end_with(wire::Verdict verdict) {
  const std::string_view rule = wire::describe(verdict.rule);
  end_ = End{EBADMSG, std::string(rule) + " (byte " + std::to_string(verdict.offset) + " of a message)"};
}

}  // namespace busbar::transport
