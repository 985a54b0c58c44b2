// Asks the kernel.
#include "transport/socket_state.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"

namespace busbar::transport {

namespace {

short present_events(int fd, short wanted) {
  pollfd watched{fd, wanted, 0};
  return ::poll(&watched, 1, 0) > 0 ? watched.revents : short{0};
}

// How long to sleep until looking again whether a stream was read: no event tells.
constexpr timespec kPause{0, 100'000};

// Whether bytes are on their way; for a unix socket, bytes that the other side has not read.
bool has_unread_bytes(int fd) {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

bool is_unix(int fd) {
  int domain = 0;
  socklen_t length = sizeof domain;
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX;
}

}  // namespace

bool is_readable(int fd) { return present_events(fd, POLLIN) != 0; }

bool is_writable(int fd) { return (present_events(fd, POLLOUT) & POLLOUT) != 0; }

bool has_hung_up(int fd) { return fd < 0 || present_events(fd, POLLRDHUP) != 0; }

bool may_be_unread(int fd) { return fd >= 0 && (!is_unix(fd) || has_unread_bytes(fd)); }

bool await_read(int fd, uint64_t stop_at) {
  while (has_unread_bytes(fd)) {
    if (monotonic_now() >= stop_at) return false;
    ::nanosleep(&kPause, nullptr);
  }
  return true;
}

void end_writing(int fd) { ::shutdown(fd, SHUT_WR); }

}  // namespace busbar::transport
