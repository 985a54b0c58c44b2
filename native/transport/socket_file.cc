// The system calls behind SocketFile.
#include "transport/socket_file.h"

#include <unistd.h>

#include <utility>

namespace busbar::transport {

namespace {

std::optional<struct stat> look(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return std::nullopt;
  return found;
}

// The number of a file is soon another file's. A socket is never written, so its time tells when it was made.
bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino &&
         one.st_mtim.tv_sec == other.st_mtim.tv_sec && one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

}  // namespace

void SocketFile::remember(const std::string& path) {
  if (path.empty() || path.front() == '\0') return;
  path_ = path;
  made_ = look(path);
}

void SocketFile::remove() {
  const auto made = std::exchange(made_, std::nullopt);
  if (!made) return;
  const auto found = look(path_);
  if (found && is_same(*found, *made)) unlink(path_.c_str());
}

}  // namespace busbar::transport
