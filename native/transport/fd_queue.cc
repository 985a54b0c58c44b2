// Takes descriptors out of what recvmsg received, and gives them out first come, first served.
#include "transport/fd_queue.h"

#include <unistd.h>

#include <cstring>

#include "base/unique_fd.h"

namespace busbar::transport {

void FdQueue::add(msghdr& message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      fd = ordinary_fd(fd);
      fds_.push_back(fd < 0 ? kLostOne : fd);
    }
  }
  if (refuses_) return close_all();
  if ((message.msg_flags & MSG_CTRUNC) != 0) fds_.push_back(kGap);
}

void FdQueue::add(FdQueue& others) {
  fds_.insert(fds_.end(), others.fds_.begin(), others.fds_.end());
  others.fds_.clear();
  if (refuses_) close_all();
}

FdQueue::Taken FdQueue::take(std::span<int32_t> fds) {
  bool is_lost = false;
  for (size_t i = 0; i < fds.size(); i++) {
    const bool is_short = fds_.empty();
    const bool is_gap = !is_short && fds_.front() == kGap;
    if (!is_short) {
      fds[i] = fds_.front();
      fds_.pop_front();
    }
    if (!is_short && !is_gap) {
      is_lost = is_lost || fds[i] == kLostOne;
      continue;
    }
    close_each(fds.first(i));
    return is_gap ? Taken::kLost : Taken::kTooFew;
  }
  if (!is_lost) return Taken::kAll;
  close_each(fds);
  return Taken::kLost;
}

void FdQueue::close_each(std::span<const int32_t> fds) {
  for (const int fd : fds) {
    if (fd >= 0) ::close(fd);
  }
}

void FdQueue::close_all() {
  for (const int fd : fds_) {
    if (fd >= 0) ::close(fd);
  }
  fds_.clear();
}

}  // namespace busbar::transport
