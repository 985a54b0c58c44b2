// What the kernel tells of a socket: whether the other side has read everything, and where it finds the end.
#include "transport/socket_state.h"

#include <netinet/in.h>
#include <unistd.h>

#include <thread>

#include "base/clock.h"
#include "socket_fixture.h"

using namespace busbar;
using namespace busbar::test;

namespace {

constexpr uint8_t kBytes[] = {1, 2, 3, 4};

void write_to(const SocketPair& pair) { CHECK(::write(pair.ours, kBytes, sizeof kBytes) == sizeof kBytes); }

bool is_read_within(int fd, uint64_t milliseconds) {
  return transport::await_read(fd, monotonic_now() + milliseconds * 1000);
}

}  // namespace

TEST("a stream is unread until its last byte is read") {
  SocketPair pair;
  CHECK(!transport::may_be_unread(pair.ours));
  write_to(pair);
  CHECK(transport::may_be_unread(pair.ours));
  CHECK(pair.receive(nullptr, 3).size() == 3);
  CHECK(transport::may_be_unread(pair.ours));
  CHECK(pair.receive().size() == 1);
  CHECK(!transport::may_be_unread(pair.ours));
}

TEST("waiting ends when the other side reads, or when the time is over") {
  SocketPair pair;
  write_to(pair);
  CHECK(!is_read_within(pair.ours, 0));
  CHECK(!is_read_within(pair.ours, 5));
  std::thread reader([&] {
    ::usleep(2000);
    pair.receive();
  });
  CHECK(is_read_within(pair.ours, 60'000));
  reader.join();
  CHECK(is_read_within(pair.ours, 0));
}

TEST("a side that has gone reads nothing more, and there is nothing to wait for") {
  SocketPair pair;
  write_to(pair);
  pair.hang_up();
  CHECK(is_read_within(pair.ours, 60'000));
  CHECK(is_read_within(-1, 60'000));
  CHECK(!transport::may_be_unread(-1));
}

TEST("the end of writing comes behind what is unread, and the other side can still write") {
  SocketPair pair;
  write_to(pair);
  transport::end_writing(pair.ours);
  CHECK(pair.receive().size() == sizeof kBytes);
  uint8_t byte = 0;
  CHECK(::read(pair.theirs, &byte, 1) == 0);
  pair.send(kBytes);
  CHECK(::read(pair.ours, &byte, 1) == 1);
  CHECK(!transport::has_hung_up(pair.ours));
}

TEST("what arrived at a TCP socket may be unread") {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  CHECK(::bind(listening, reinterpret_cast<sockaddr*>(&address), length) == 0);
  CHECK(::listen(listening, 1) == 0);
  CHECK(::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(::connect(client, reinterpret_cast<sockaddr*>(&address), length) == 0);
  CHECK(transport::may_be_unread(client));
  ::close(client);
  ::close(listening);
}
