// Polls without waiting.
#include "transport/socket_state.h"

#include <poll.h>

namespace busbar::transport {

namespace {

short present_events(int fd, short wanted) {
  pollfd watched{fd, wanted, 0};
  return ::poll(&watched, 1, 0) > 0 ? watched.revents : short{0};
}

}  // namespace

bool is_readable(int fd) { return present_events(fd, POLLIN) != 0; }

bool is_writable(int fd) { return (present_events(fd, POLLOUT) & POLLOUT) != 0; }

bool has_hung_up(int fd) { return fd < 0 || present_events(fd, POLLRDHUP) != 0; }

}  // namespace busbar::transport
