// Recognises the file by its identity, so that no other one is removed.
#include "transport/socket_file.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace busbar::transport {

namespace {

// Not by a function of the C library: glibc 2.33 gave those versions that older systems do not have.
std::optional<SocketFile::Identity> look(const std::string& path) {
  struct statx found {};
  constexpr unsigned kWanted = STATX_INO | STATX_MTIME;
  if (syscall(SYS_statx, AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, kWanted, &found) != 0)
    return std::nullopt;
  return SocketFile::Identity{uint64_t{found.stx_dev_major} << 32 | found.stx_dev_minor, found.stx_ino,
                              found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec};
}

}  // namespace

void SocketFile::remember(const std::string& path) {
  if (path.empty() || path.front() == '\0') return;
  path_ = path;
  made_ = look(path);
}

void SocketFile::remove() {
  const auto made = std::exchange(made_, std::nullopt);
  if (made && look(path_) == made) unlink(path_.c_str());
}

}  // namespace busbar::transport
