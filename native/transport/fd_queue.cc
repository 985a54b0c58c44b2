// First come, first served.
#include "transport/fd_queue.h"

#include <unistd.h>

namespace busbar::transport {

FdQueue::Taken FdQueue::take(std::span<int32_t> fds) {
  for (size_t i = 0; i < fds.size(); i++) {
    const bool is_short = fds_.empty();
    const bool is_gap = !is_short && fds_.front() == kGap;
    if (!is_short) {
      fds[i] = fds_.front();
      fds_.pop_front();
    }
    if (!is_short && !is_gap) continue;
    for (const int fd : fds.first(i)) ::close(fd);
    return is_gap ? Taken::kLost : Taken::kTooFew;
  }
  return Taken::kAll;
}

void FdQueue::close_all() {
  for (const int fd : fds_) {
    if (fd != kGap) ::close(fd);
  }
  fds_.clear();
}

}  // namespace busbar::transport
