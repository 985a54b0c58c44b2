// Writes marshalled bytes, either into borrowed memory with a fixed end, or into memory of its own that
// grows.
//
// Alignment counts from the beginning of the memory. A failed step leaves the reason in `state()`; what was
// written until then is of no use.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

namespace busbar::wire {

class Writer {
 public:
  enum class State { kGood, kFull, kOutOfMemory };

  // Writes into `memory`, which must outlive the writer.
  explicit Writer(std::span<uint8_t> memory) : data_(memory.data()), capacity_(memory.size()) {}

  // Allocates as it goes, up to `limit` bytes.
  static Writer growing(size_t limit) {
    Writer writer{std::span<uint8_t>{}};
    writer.limit_ = limit;
    return writer;
  }

  // Has `length` bytes at once, to be filled through `space`; `kOutOfMemory` if there are not so many.
  static Writer filled(size_t length) {
    Writer writer = growing(length);
    if (length > 0 && writer.reserve_exactly(length)) writer.size_ = length;
    return writer;
  }

  Writer(Writer&& other) noexcept { *this = std::move(other); }
  Writer& operator=(Writer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(limit_, other.limit_);
    std::swap(state_, other.state_);
    return *this;
  }
  ~Writer() {
    // The analyzer does not see that swapping changes who owns the memory.
    if (limit_ > 0) std::free(data_);  // NOLINT(clang-analyzer-unix.Malloc)
  }

  State state() const { return state_; }
  size_t size() const { return size_; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  std::span<uint8_t> space() { return {data_, size_}; }

  [[nodiscard]] bool align(size_t alignment) {
    const size_t padding = (alignment - size_ % alignment) % alignment;
    if (padding == 0) return true;
    if (!reserve(padding)) return false;
    std::memset(data_ + size_, 0, padding);
    size_ += padding;
    return true;
  }

  [[nodiscard]] bool append(const void* bytes, size_t length) {
    if (length == 0) return true;
    if (!reserve(length)) return false;
    std::memcpy(data_ + size_, bytes, length);
    size_ += length;
    return true;
  }

  [[nodiscard]] bool uint32(uint32_t value) { return align(4) && append(&value, 4); }

  // Overwrites a number that was written before, for lengths that are known later.
  void patch_uint32(size_t offset, uint32_t value) { std::memcpy(data_ + offset, &value, 4); }

 private:
  bool reserve(size_t length) {
    if (length <= capacity_ - size_) return true;
    if (limit_ == 0 || length > limit_ - size_) {
      state_ = State::kFull;
      return false;
    }
    size_t capacity = capacity_ < 4096 ? 4096 : capacity_;
    while (capacity - size_ < length) capacity = capacity > limit_ / 2 ? limit_ : capacity * 2;
    return reserve_exactly(capacity);
  }

  bool reserve_exactly(size_t capacity) {
    void* data = std::realloc(data_, capacity);
    if (data == nullptr) {
      state_ = State::kOutOfMemory;
      return false;
    }
    data_ = static_cast<uint8_t*>(data);
    capacity_ = capacity;
    return true;
  }

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  // 0: the memory is borrowed.
  size_t limit_ = 0;
  State state_ = State::kGood;
};

}  // namespace busbar::wire
