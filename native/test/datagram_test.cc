// Datagrams to a unix socket: whole, with the sender's credentials, and never waiting.
#include "transport/datagram.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "check.h"
#include "transport/socket_address.h"

using namespace busbar;

namespace {

// A receiver that is bound to a name, whose file it removes.
struct Receiver {
  explicit Receiver(std::string bound)
      : name(std::move(bound)), fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    transport::SocketAddress address;
    CHECK(address.set_unix(name) == 0);
    CHECK(::bind(fd.get(), address.get(), address.length) == 0);
  }
  ~Receiver() {
    if (name.front() != '\0') ::unlink(name.c_str());
  }

  // The next datagram; "none" where there is none.
  std::string receive() const {
    char buffer[4096];
    const ssize_t count = ::recv(fd.get(), buffer, sizeof buffer, 0);
    return count < 0 ? "none" : std::string(buffer, static_cast<size_t>(count));
  }

  std::string name;
  UniqueFd fd;
};

std::string unique_name(const char* folder) {
  return std::string(folder) + "busbar-datagram-" + std::to_string(::getpid());
}

}  // namespace

TEST("a datagram arrives whole at a path, also an empty one") {
  const Receiver receiver(unique_name("/tmp/"));
  CHECK(transport::send_datagram(receiver.name, "READY=1\nSTATUS=Working") == 0);
  CHECK(transport::send_datagram(receiver.name, "") == 0);
  CHECK(receiver.receive() == "READY=1\nSTATUS=Working");
  CHECK(receiver.receive().empty());
  CHECK(receiver.receive() == "none");
}

TEST("a datagram arrives at an abstract name") {
  const Receiver receiver(std::string(1, '\0') + unique_name(""));
  CHECK(transport::send_datagram(receiver.name, "STOPPING=1") == 0);
  CHECK(receiver.receive() == "STOPPING=1");
}

TEST("a full queue is told, and nothing waits for room in it") {
  const Receiver receiver(std::string(1, '\0') + unique_name("full-"));
  int sent = 0;
  int r = 0;
  while (r == 0 && sent < 100'000) {
    r = transport::send_datagram(receiver.name, "READY=1");
    sent++;
  }
  CHECK(r == EAGAIN);
  CHECK(receiver.receive() == "READY=1");
  CHECK(transport::send_datagram(receiver.name, "READY=1") == 0);
}

TEST("names that cannot be, and sockets that are not there, are told") {
  CHECK(transport::send_datagram("", "x") == ENAMETOOLONG);
  CHECK(transport::send_datagram(std::string(108, 'x'), "x") == ENAMETOOLONG);
  CHECK(transport::send_datagram("/nonexistent/notify", "x") == ENOENT);
  CHECK(transport::send_datagram(std::string(1, '\0') + unique_name("absent-"), "x") == ECONNREFUSED);
}
