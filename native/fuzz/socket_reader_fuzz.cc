// The receiving half of a socket: the rows that come out do not depend on how the stream was split, and are
// those that `check_message` finds in it; and every descriptor that came is either handed over or closed.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fuzz/fuzz.h"
#include "inbox/inbox.h"
#include "transport/socket_reader.h"
#include "wire/message.h"

using namespace busbar;
using namespace busbar::fuzz;
using inbox::Fault;
using inbox::fault_code;
using inbox::Row;

namespace {

constexpr size_t kMaxFds = 8;
// About as many as a long stream is split into: byte by byte it would be thousands of system calls.
constexpr size_t kPortions = 64;
// In bytes that are worth as many: the signature of a body may be longer than it.
constexpr size_t kStepsOfAMessage = 64;

// The parts of a message that are compared.
struct Message {
  int32_t type, serial, fault;
  size_t fd_count;
  std::vector<uint8_t> body;

  bool operator==(const Message&) const = default;
};

struct Outcome {
  std::vector<Message> messages;
  bool is_broken = false;

  bool operator==(const Outcome&) const = default;
};

// The expected messages of the stream, and the position of each message that needs descriptors.
struct Expectation {
  Outcome outcome;
  std::vector<std::pair<size_t, size_t>> fds;
  // A header does not tell how many descriptors are its own: whether those of others come with it depends on
  // how the stream is split.
  bool has_unclear_fds = false;
};

Expectation expect(std::span<const uint8_t> stream) {
  Expectation expected;
  size_t at = 0;
  while (at < stream.size()) {
    std::vector<uint8_t> bytes = copy_of(stream.subspan(at));
    const wire::MessageVerdict verdict = wire::check_message(bytes);
    if (verdict.verdict.rule == wire::Rule::kTruncated && verdict.length == 0) break;
    if (verdict.length == 0) {
      expected.outcome.is_broken = true;
      break;
    }
    wire::Header header;
    (void)wire::read_header(bytes, header);
    if (!header.is_whole) {
      expected.has_unclear_fds = true;
      header.unix_fds = 0;
    }
    if (header.unix_fds > kMaxFds) {
      // More than this target sends: the stream breaks for want of them.
      expected.outcome.is_broken = true;
      break;
    }
    if (header.unix_fds > 0) expected.fds.emplace_back(at, header.unix_fds);
    at += verdict.length;
    if (header.type > wire::kSignal) continue;
    const Fault fault = verdict.is_sound()                                    ? Fault::kNone
                        : verdict.part == wire::MessageVerdict::Part::kHeader ? Fault::kInvalidHeader
                                                                              : Fault::kInvalidBody;
    Message message{
        header.type, static_cast<int32_t>(header.serial), fault_code(fault, verdict.verdict.rule), 0, {}};
    if (verdict.is_sound()) {
      message.fd_count = header.unix_fds;
      const auto body = bytes.begin() + static_cast<ptrdiff_t>(header.body_offset);
      message.body.assign(body, body + static_cast<ptrdiff_t>(header.body_length));
    }
    expected.outcome.messages.push_back(std::move(message));
  }
  return expected;
}

class Receiver {
 public:
  Receiver() : arena_(size_t{16} * 1024), rows_(8 * inbox::kRowLength), strings_(size_t{64} * 3), fds_(1024) {
    HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets_) == 0);
    reader_ = std::make_unique<transport::SocketReader>(sockets_[0]);
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() {
    ::close(sockets_[0]);
    ::close(sockets_[1]);
  }

  // Sends a portion with copies of `fd`, and reads until nothing is left of it.
  void pass(std::span<const uint8_t> bytes, int fd, size_t count) {
    while (!bytes.empty() && !reader_->end()) {
      const size_t sent = send(bytes, fd, count);
      count = 0;
      bytes = bytes.subspan(sent);
      read();
    }
  }

  Outcome outcome() {
    outcome_.is_broken = reader_->end() && reader_->end()->error == EBADMSG;
    return std::move(outcome_);
  }

 private:
  size_t send(std::span<const uint8_t> bytes, int fd, size_t count) {
    iovec part{const_cast<uint8_t*>(bytes.data()), std::min(bytes.size(), size_t{100'000})};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (count > 0) {
      const std::vector<int> fds(count, fd);
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(count * sizeof(int));
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(count * sizeof(int));
      std::memcpy(CMSG_DATA(header), fds.data(), count * sizeof(int));
    }
    const ssize_t sent = sendmsg(sockets_[1], &message, MSG_NOSIGNAL);
    HOLDS(sent > 0);
    return static_cast<size_t>(sent);
  }

  void read() {
    do {
      inbox_.begin({arena_, rows_, strings_, fds_, &buffer_});
      reader_->read(inbox_);
      for (size_t i = 0; i < static_cast<size_t>(inbox_.count()); i++) take(i);
      inbox_.close_fds(0);
    } while (!reader_->end() && (inbox_.count() > 0 || reader_->has_held() || !reader_->is_drained()));
  }

  void take(size_t index) {
    Row row;
    std::memcpy(static_cast<void*>(&row), rows_.data() + index * inbox::kRowLength, sizeof row);
    HOLDS(row.body_offset >= 0 && row.body_length >= 0 && row.body_offset % 8 == 0);
    HOLDS(row.fd_offset >= 0 && row.fd_count >= 0);
    std::span<const uint8_t> body = inbox_.large_body();
    if (!inbox_.has_large_body()) {
      HOLDS(static_cast<size_t>(row.body_offset) + static_cast<size_t>(row.body_length) <= arena_.size());
      body = std::span(arena_).subspan(static_cast<size_t>(row.body_offset),
                                       static_cast<size_t>(row.body_length));
    }
    // A path that is too long for the arena comes behind a large body.
    HOLDS(body.size() >= static_cast<size_t>(row.body_length));
    HOLDS(inbox_.has_large_body() || body.size() == static_cast<size_t>(row.body_length));
    body = body.first(static_cast<size_t>(row.body_length));
    for (int32_t i = 0; i < row.fd_count; i++) {
      HOLDS(fcntl(fds_[static_cast<size_t>(row.fd_offset + i)], F_GETFD) == FD_CLOEXEC);
    }
    outcome_.messages.push_back({row.type, row.serial, row.fault, static_cast<size_t>(row.fd_count),
                                 std::vector<uint8_t>(body.begin(), body.end())});
  }

  int sockets_[2];
  std::vector<uint8_t> arena_;
  std::vector<int32_t> rows_, strings_, fds_;
  inbox::SpareBuffer buffer_;
  inbox::Inbox inbox_;
  std::unique_ptr<transport::SocketReader> reader_;
  Outcome outcome_;
};

// A pipe whose writing end is sent: the other end tells when the last copy of it is closed.
struct Pipe {
  Pipe() { HOLDS(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0); }
  ~Pipe() { ::close(ends[0]); }
  bool is_closed() {
    char byte;
    ::close(ends[1]);
    return ::read(ends[0], &byte, 1) == 0;
  }
  int ends[2];
};

// Splits the stream into portions of at most `bound`, and where descriptors come: they are sent with the
// first byte of their message, or where `astray` says so with another one.
Outcome run(std::span<const uint8_t> stream, const Expectation& expected, Choices choices, size_t bound,
            size_t astray) {
  Pipe pipe;
  Outcome outcome;
  {
    Receiver receiver;
    auto next = expected.fds.begin();
    for (size_t at = 0; at < stream.size();) {
      size_t end = std::min(stream.size(), at + 1 + choices.below(bound));
      size_t count = 0;
      if (next != expected.fds.end() && next->first + astray <= at) {
        count = next->second;
        ++next;
      }
      if (next != expected.fds.end() && next->first + astray > at) end = std::min(end, next->first + astray);
      receiver.pass(stream.subspan(at, end - at), pipe.ends[1], count);
      at = end;
    }
    outcome = receiver.outcome();
  }
  HOLDS(pipe.is_closed());
  return outcome;
}

}  // namespace

// The first two bytes choose how the stream is split, the rest is the stream.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::span<const uint8_t> stream(data, size);
  const uint8_t choice = take_byte(stream);
  const Choices choices(take_byte(stream));
  const Expectation expected = expect(stream);
  const bool is_certain = !expected.has_unclear_fds || expected.fds.empty();
  const Work work;
  HOLDS(run(stream, expected, choices, stream.size() + 1, 0) == expected.outcome || !is_certain);
  // A message that a batch has no room for is read again.
  HOLDS(work.is_within(2 * stream.size() + 2 * kStepsOfAMessage * (expected.outcome.messages.size() + 1)));
  // Any byte of the shortest message there is may bring its descriptors.
  const size_t bound = std::max<size_t>(1 + choice % 64u, stream.size() / kPortions);
  HOLDS(run(stream, expected, choices, bound, choice % 16u) == expected.outcome || !is_certain);
  return 0;
}
