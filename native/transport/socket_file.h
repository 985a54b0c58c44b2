// The file of a listening unix socket, for when JavaScript can no longer remove it: a worker that is
// terminated runs no code of its own any more. src/peer/socket-file.ts removes it in every other case,
// by the same comparison.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace busbar::transport {

class SocketFile {
 public:
  // The identity of a file. The number of a removed file is soon used again; a socket is never written, so
  // its time of change is the time when it was made.
  struct Identity {
    uint64_t device;
    uint64_t number;
    int64_t seconds;
    uint32_t nanoseconds;

    bool operator==(const Identity&) const = default;
  };

  // Remembers the file of a socket that has just been bound. An abstract name has no file.
  void remember(const std::string& path);
  // Removes the file, unless another one has replaced it.
  void remove();

 private:
  std::string path_;
  std::optional<Identity> made_;
};

}  // namespace busbar::transport
