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
  // What tells one file from another. The number of a file is soon another file's; a socket is never written,
  // so its time tells when it was made.
  struct Identity {
    uint64_t device;
    uint64_t number;
    int64_t seconds;
    uint32_t nanoseconds;

    bool operator==(const Identity&) const = default;
  };

  // Remembers what a socket that was bound just now made there. A name without a file is no path.
  void remember(const std::string& path);
  // Removes the file, and no other one that came to its place.
  void remove();

 private:
  std::string path_;
  std::optional<Identity> made_;
};

}  // namespace busbar::transport
