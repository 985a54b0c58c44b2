// The queue before sd-bus: order, memory that is shared, and descriptors.
#include "transport/message_queue.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include "check.h"

using namespace busbar;
using transport::MessageQueue;

namespace {

std::vector<uint8_t> message(uint32_t seed, size_t length) {
  std::vector<uint8_t> bytes(length);
  for (size_t i = 0; i < length; i++) bytes[i] = static_cast<uint8_t>(size_t{seed} * 31 + i);
  return bytes;
}

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

}  // namespace

TEST("messages of any size come out in order, on 8-byte boundaries") {
  std::mt19937 random(7);
  MessageQueue queue;
  std::deque<std::vector<uint8_t>> expected;
  uint64_t bytes = 0;
  for (uint32_t step = 0; step < 20000; step++) {
    if (random() % 5 < 3) {
      // Mostly small, sometimes about the size that shares memory, or beyond it.
      const size_t length = 16 + random() % (step % 97 == 0 ? 140000 : step % 7 == 0 ? 9000 : 200);
      expected.push_back(message(step, length));
      REQUIRE(queue.push(expected.back(), {}));
      bytes += length;
    } else if (!expected.empty()) {
      const std::span<const uint8_t> front = queue.front();
      REQUIRE(reinterpret_cast<uintptr_t>(front.data()) % 8 == 0);
      REQUIRE(std::vector<uint8_t>(front.begin(), front.end()) == expected.front());
      REQUIRE(queue.front_fds().empty());
      bytes -= front.size();
      queue.pop();
      expected.pop_front();
    }
    REQUIRE(queue.bytes() == bytes && queue.is_empty() == expected.empty());
  }
}

TEST("descriptors are duplicated, belong to their message, and are closed with it") {
  MessageQueue queue;
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int32_t fds[] = {fd, fd};
  REQUIRE(queue.push(message(1, 40), {}));
  REQUIRE(queue.push(message(2, 40), fds));
  REQUIRE(queue.push(message(3, 40), {}));
  REQUIRE(queue.push(message(4, 40), fds));
  ::close(fd);
  CHECK(queue.front_fds().empty());
  queue.pop();
  REQUIRE(queue.front_fds().size() == 2);
  const int copy = queue.front_fds()[1];
  CHECK(queue.front()[0] == message(2, 1)[0] && is_open(copy));
  queue.pop();
  CHECK(!is_open(copy));
  CHECK(queue.front_fds().empty() && queue.front()[0] == message(3, 1)[0]);
  queue.pop();
  const int last = queue.front_fds()[0];
  queue.clear();
  CHECK(!is_open(last) && queue.is_empty() && queue.bytes() == 0);
}

TEST("a message whose descriptors cannot be duplicated is not taken") {
  MessageQueue queue;
  // Nothing is open there.
  const int32_t fds[] = {0, 1 << 20};
  const int next = dup(0);
  ::close(next);
  CHECK(!queue.push(message(1, 40), fds) && errno == EBADF);
  CHECK(queue.is_empty() && queue.bytes() == 0);
  // The first one's copy was closed again.
  const int again = dup(0);
  CHECK(again == next);
  ::close(again);
}
