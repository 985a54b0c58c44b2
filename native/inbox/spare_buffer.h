// One buffer to receive into, for all connections of an environment: a reader takes it for a turn, and keeps
// it only while there are bytes in it that are not read yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace busbar::inbox {

class SpareBuffer {
 public:
  using Bytes = std::unique_ptr<uint8_t[]>;

  static constexpr size_t kLength = size_t{128} * 1024;

  // A new one if another reader has it.
  Bytes take() {
    return bytes_ != nullptr ? std::move(bytes_) : std::make_unique_for_overwrite<uint8_t[]>(kLength);
  }
  void give_back(Bytes bytes) { bytes_ = std::move(bytes); }

 private:
  Bytes bytes_;
};

}  // namespace busbar::inbox
