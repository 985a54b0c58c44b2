// Descriptors that were received and that no message has claimed yet, in order.
//
// The kernel says with which bytes descriptors came, but not for which message; every message says how many
// are its own. They are therefore given out first come, first served. Owns what it holds.
#pragma once

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
    // They never came.
    kTooFew,
  };

  FdQueue() = default;
  FdQueue(const FdQueue&) = delete;
  FdQueue& operator=(const FdQueue&) = delete;
  ~FdQueue() { close_all(); }

  void add(int fd) { fds_.push_back(fd); }
  // After the one added last, some were lost on the way.
  void add_gap() { fds_.push_back(kGap); }
  size_t size() const { return fds_.size(); }

  // Gives a message its descriptors. Unless it gets all of them, those that were there are closed.
  [[nodiscard]] Taken take(std::span<int32_t> fds);
  void close_all();

 private:
  static constexpr int kGap = -1;

  std::deque<int> fds_;
};

}  // namespace busbar::transport
