// A descriptor that is closed with its owner.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace busbar {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

// The descriptor, or a duplicate in its place where it is one of the standard streams, which this process
// must have closed: what it prints must not go to where a peer wants it. Of -1, and where there is no
// duplicate to be had, -1, with `errno` set.
inline int ordinary_fd(int fd) {
  constexpr int kFirstOrdinary = 3;
  if (fd < 0 || fd >= kFirstOrdinary) return fd;
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, kFirstOrdinary);
  const int error = errno;
  ::close(fd);
  errno = error;
  return copy;
}

}  // namespace busbar
