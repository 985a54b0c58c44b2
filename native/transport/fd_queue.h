// Descriptors that were received and that no message has claimed yet, in order.
//
// The kernel says with which bytes descriptors came, but not for which message; every message says how many
// are its own. They are therefore given out first come, first served. Owns what it holds.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

namespace busbar::transport {

class FdQueue {
 public:
  enum class Taken {
    kAll,
    // The kernel could not hand over all that were sent with this message: this process has too many open.
    kLost,
    // The peer sent fewer.
    kTooFew,
  };

  FdQueue() = default;
  FdQueue(const FdQueue&) = delete;
  FdQueue& operator=(const FdQueue&) = delete;
  ~FdQueue() { close_all(); }

  // The room that one recvmsg needs: for as many descriptors as the kernel carries with one message
  // (SCM_MAX_FD), and for credentials, which a peer may send along.
  static constexpr size_t kControlLength = CMSG_SPACE(253 * sizeof(int)) + 512;

  // Closes everything that comes from now on: this side did not agree to take descriptors.
  void refuse() {
    refuses_ = true;
    close_all();
  }
  bool refuses() const { return refuses_; }

  // Adds the descriptors of a recvmsg. None is 0, 1 or 2, which libraries take for the standard streams.
  void add(msghdr& message);
  // Takes over what another queue holds.
  void add(FdQueue& others);
  size_t size() const { return fds_.size(); }

  // Gives a message its descriptors. Unless it gets all of them, those that were there are closed.
  [[nodiscard]] Taken take(std::span<int32_t> fds);
  void close_all();

 private:
  // In place of descriptors that were lost on the way: the rest of a message's, or one.
  static constexpr int kGap = -1;
  static constexpr int kLostOne = -2;

  static void close_each(std::span<const int32_t> fds);

  bool refuses_ = false;
  std::deque<int> fds_;
};

}  // namespace busbar::transport
