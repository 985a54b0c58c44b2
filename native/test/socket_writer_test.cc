// Sending over a socket: gathering, queues, descriptors, and broken connections.
#include "transport/socket_writer.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "socket_fixture.h"

using namespace busbar;
using namespace busbar::test;
using transport::Refusal;
using transport::SocketWriter;

namespace {

// The error that replaces a call of the kernel; 0 to make the call.
int injected_error = 0;
// The same for what has descriptors.
int injected_fd_error = 0;

}  // namespace

// In place of the C library's: a kernel that has no memory cannot be had otherwise.
extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  const int error = message->msg_controllen > 0 ? injected_fd_error : injected_error;
  if (error == 0) return syscall(SYS_sendmsg, fd, message, flags);
  errno = error;
  return -1;
}

namespace {

struct Fixture {
  Fixture() : writer(sockets.ours) {
    // The least that the kernel gives.
    const int size = 1;
    setsockopt(sockets.ours, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }

  void send(std::span<const uint8_t> bytes, std::span<const int32_t> fds = {}) {
    writer.send(bytes, fds, refused);
  }

  SocketPair sockets;
  SocketWriter writer;
  std::vector<Refusal> refused;
};

// Messages as the seam hands them over, each on an 8-byte boundary, and as they are to arrive.
struct Batch {
  void add(const std::vector<uint8_t>& message) {
    while (sent.size() % 8 != 0) sent.push_back(0xee);
    sent.insert(sent.end(), message.begin(), message.end());
    expected.insert(expected.end(), message.begin(), message.end());
  }
  std::vector<uint8_t> sent, expected;
};

std::vector<uint8_t> text_message(uint32_t serial, size_t length) {
  return signal_bytes("s", Bytes().string(std::string(length, 'x')), serial);
}

// Reads a little at a time while the writer goes on, until nothing is left.
std::vector<uint8_t> receive_all(Fixture& fixture, std::vector<int>* fds = nullptr) {
  std::vector<uint8_t> received;
  for (int idle = 0; idle < 3;) {
    fixture.writer.write_queued();
    const std::vector<uint8_t> part = fixture.sockets.receive(fds, 700);
    received.insert(received.end(), part.begin(), part.end());
    idle = part.empty() ? idle + 1 : 0;
  }
  return received;
}

}  // namespace

TEST("messages leave without the gaps between them") {
  Fixture fixture;
  Batch batch;
  for (uint32_t i = 1; i <= 5; i++) batch.add(text_message(i, i));
  fixture.send(batch.sent);
  CHECK(fixture.sockets.receive() == batch.expected && fixture.refused.empty());
  CHECK(fixture.writer.pending_bytes() == 0);
}

TEST("bytes that the kernel does not accept wait, are counted, and arrive in order") {
  Fixture fixture;
  Batch all;
  for (uint32_t round = 0; round < 3; round++) {
    Batch batch;
    for (uint32_t i = 1; i <= 1500; i++) batch.add(text_message(round * 1500 + i, i % 90));
    fixture.send(batch.sent);
    all.expected.insert(all.expected.end(), batch.expected.begin(), batch.expected.end());
  }
  CHECK(fixture.writer.has_queued() && fixture.writer.pending_bytes() < all.expected.size());
  const uint64_t pending = fixture.writer.pending_bytes();
  const std::vector<uint8_t> first = fixture.sockets.receive();
  CHECK(first.size() + pending == all.expected.size());
  std::vector<uint8_t> received = first;
  const std::vector<uint8_t> rest = receive_all(fixture);
  received.insert(received.end(), rest.begin(), rest.end());
  CHECK(received == all.expected);
  CHECK(fixture.writer.pending_bytes() == 0 && !fixture.writer.has_queued() && fixture.refused.empty());
}

TEST("a large message among small ones arrives in its place") {
  Fixture fixture;
  Batch batch;
  batch.add(text_message(1, 10));
  batch.add(text_message(2, 300'000));
  batch.add(text_message(3, 10));
  fixture.send(batch.sent);
  CHECK(receive_all(fixture) == batch.expected);
}

TEST("descriptors arrive with their message, and are still the sender's") {
  Fixture fixture;
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const std::vector<uint8_t> message = signal_bytes("h", Bytes().u32(0), 1, 1);
  fixture.send(message, std::span(&ends[1], 1));
  std::vector<int> fds;
  CHECK(fixture.sockets.receive(&fds) == message);
  REQUIRE(fds.size() == 1);
  char byte = 'x';
  CHECK(write(fds[0], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1 && write(ends[1], &byte, 1) == 1);
  for (const int fd : {fds[0], ends[0], ends[1]}) close(fd);
}

TEST("descriptors that wait are copies, go alone with their message, and are closed then") {
  Fixture fixture;
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  Batch all;
  all.add(text_message(1, 50'000));
  fixture.send(all.sent);
  CHECK(fixture.writer.has_queued());
  for (uint32_t i = 0; i < 3; i++) {
    const std::vector<uint8_t> message = signal_bytes("h", Bytes().u32(0), 2 + i, 1);
    fixture.send(message, std::span(&ends[1], 1));
    all.add(message);
    const std::vector<uint8_t> plain = text_message(9, 5);
    fixture.send(plain);
    all.add(plain);
  }
  close(ends[1]);
  std::vector<int> fds;
  CHECK(receive_all(fixture, &fds) == all.expected);
  REQUIRE(fds.size() == 3 && fixture.refused.empty());
  for (const int fd : fds) close(fd);
  char byte;
  CHECK(read(ends[0], &byte, 1) == 0);
  close(ends[0]);
}

TEST("descriptors that wait are closed when the connection ends") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  {
    Fixture fixture;
    fixture.send(text_message(1, 50'000));
    fixture.send(signal_bytes("h", Bytes().u32(0), 2, 1), std::span(&ends[1], 1));
    close(ends[1]);
  }
  char byte;
  CHECK(read(ends[0], &byte, 1) == 0);
  close(ends[0]);
}

TEST("an invalid descriptor affects only its message") {
  Fixture fixture;
  const int none = -1;
  const std::vector<uint8_t> message = signal_bytes("h", Bytes().u32(0), 5, 1);
  fixture.send(message, std::span(&none, 1));
  REQUIRE(fixture.refused.size() == 1);
  CHECK(fixture.refused[0].serial == 5 && fixture.refused[0].error == EBADF);
  fixture.send(text_message(6, 50'000));
  fixture.send(message, std::span(&none, 1));
  CHECK(fixture.refused.size() == 2 && fixture.refused[1].error == EBADF && fixture.writer.error() == 0);
  const std::vector<int> too_many(254, 0);
  fixture.send(message, too_many);
  CHECK(fixture.refused.size() == 3 && fixture.refused[2].error == EINVAL);
}

TEST("a descriptor that is refused when its turn comes affects only its message") {
  Fixture fixture;
  Batch all;
  all.add(text_message(1, 50'000));
  fixture.send(all.sent);
  REQUIRE(fixture.writer.has_queued());
  // What waits has a duplicate, which gets the least number from 3 on.
  const int copy = fcntl(0, F_DUPFD_CLOEXEC, 3);
  close(copy);
  const int sent = 0;
  fixture.send(signal_bytes("h", Bytes().u32(0), 2, 1), std::span(&sent, 1));
  close(copy);
  const std::vector<uint8_t> last = text_message(3, 5);
  fixture.send(last);
  all.add(last);
  CHECK(receive_all(fixture) == all.expected);
  CHECK(fixture.writer.error() == 0 && fixture.writer.pending_bytes() == 0);
  const std::vector<Refusal> refused = fixture.writer.take_refused();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].serial == 2 && refused[0].error == EBADF && !fixture.writer.has_refused());
}

TEST("bytes that are not a message are refused, and the messages before them are sent") {
  Fixture fixture;
  Batch batch;
  batch.add(text_message(1, 5));
  while (batch.sent.size() % 8 != 0) batch.sent.push_back(0);
  batch.sent.insert(batch.sent.end(), 100, 0xee);
  fixture.send(batch.sent);
  CHECK(fixture.refused.size() == 1 && fixture.refused[0].error == EBADMSG);
  CHECK(fixture.sockets.receive() == batch.expected);
}

TEST("a broken connection refuses further messages, and no SIGPIPE is raised") {
  Fixture fixture;
  fixture.sockets.hang_up();
  Batch batch;
  for (uint32_t i = 1; i <= 3; i++) batch.add(text_message(i, 5));
  fixture.send(batch.sent);
  REQUIRE(fixture.refused.size() == 3);
  CHECK(fixture.refused[0].serial == 1 && fixture.refused[2].serial == 3);
  CHECK(fixture.refused[0].error == ENOTCONN && fixture.writer.error() == EPIPE);
  fixture.send(batch.sent);
  CHECK(fixture.refused.size() == 6 && fixture.writer.pending_bytes() == 0);
}

TEST("a connection that breaks while messages wait drops them") {
  Fixture fixture;
  fixture.send(text_message(1, 50'000));
  CHECK(fixture.writer.has_queued());
  fixture.sockets.hang_up();
  fixture.writer.write_queued();
  CHECK(!fixture.writer.has_queued() && fixture.writer.pending_bytes() == 0);
  CHECK(fixture.writer.error() == EPIPE || fixture.writer.error() == ECONNRESET);
}

TEST("bytes for which the kernel has no memory are sent after a delay, and arrive in order") {
  for (const int error : {ENOBUFS, ENOMEM}) {
    Fixture fixture;
    Batch batch;
    for (uint32_t i = 1; i <= 3; i++) batch.add(text_message(i, 10));
    injected_error = error;
    const uint64_t before = monotonic_now();
    fixture.send(batch.sent);
    CHECK(fixture.refused.empty() && fixture.writer.error() == 0);
    CHECK(fixture.writer.pending_bytes() == batch.expected.size() && fixture.writer.retry_at() > before);
    fixture.writer.write_queued();
    CHECK(fixture.writer.error() == 0 && fixture.writer.has_queued() && fixture.writer.retry_at() > before);
    injected_error = 0;
    CHECK(receive_all(fixture) == batch.expected);
    CHECK(fixture.writer.retry_at() == 0 && !fixture.writer.has_refused());
  }
}

TEST("descriptors that the kernel does not accept are refused, at once or when their turn comes") {
  for (const int error : {ENOBUFS, ENOMEM, ETOOMANYREFS}) {
    Fixture fixture;
    const std::vector<uint8_t> message = signal_bytes("h", Bytes().u32(0), 7, 1);
    const int32_t fds[] = {0};
    injected_fd_error = error;
    fixture.send(message, fds);
    CHECK(fixture.refused.size() == 1 && fixture.refused[0].serial == 7 && fixture.refused[0].error == error);
    fixture.refused.clear();
    // Behind what fills the socket, and before what comes later.
    Batch batch;
    batch.add(text_message(8, 300'000));
    fixture.send(batch.sent);
    fixture.send(message, fds);
    fixture.send(text_message(9, 10));
    batch.add(text_message(9, 10));
    CHECK(fixture.refused.empty() && fixture.writer.has_queued());
    CHECK(receive_all(fixture) == batch.expected);
    injected_fd_error = 0;
    const std::vector<Refusal> refused = fixture.writer.take_refused();
    CHECK(refused.size() == 1 && refused[0].serial == 7 && refused[0].error == error);
    CHECK(fixture.writer.error() == 0 && fixture.writer.pending_bytes() == 0);
  }
}
