// Numbers the distinct descriptors of one message in order of first use.
//
// A body may refer to a descriptor any number of times (an `ah` of 64 MiB is valid), so finding one must not
// take a search through all. The table is allocated with the first descriptor: most messages have none.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <span>

namespace busbar::sdbus {

class FdIndex {
 public:
  explicit FdIndex(std::span<int32_t> fds) : fds_(fds) {}

  size_t size() const { return size_; }

  // The index of `fd`, which is added to the list if it is not there; negative if there is no room.
  int32_t index_of(int fd) {
    if (!slots_ && !allocate()) return -1;
    const uint32_t hash = static_cast<uint32_t>(fd) * 2654435761u;
    size_t slot = hash % kSlots;
    for (; slots_[slot] != 0; slot = (slot + 1) % kSlots) {
      const int32_t index = slots_[slot] - 1;
      if (fds_[static_cast<size_t>(index)] == fd) return index;
    }
    if (size_ == fds_.size() || size_ == kMaxFds) return -1;
    fds_[size_] = fd;
    slots_[slot] = static_cast<int32_t>(++size_);
    return slots_[slot] - 1;
  }

 private:
  // sd-bus takes at most 1024 descriptors a message (BUS_FDS_MAX), the kernel 253 (SCM_MAX_FD).
  static constexpr size_t kMaxFds = 1024;
  static constexpr size_t kSlots = 4096;

  bool allocate() {
    slots_.reset(new (std::nothrow) int32_t[kSlots]());
    return slots_ != nullptr;
  }

  std::span<int32_t> fds_;
  std::unique_ptr<int32_t[]> slots_;
  size_t size_ = 0;
};

}  // namespace busbar::sdbus
