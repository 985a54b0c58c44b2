// Walks the body of a received sd_bus_message and writes it again as little-endian wire bytes.
//
// sd-bus hands out no body bytes and validates only what is read, so every value is read once here: after
// that the bytes are known to fit their signature. Descriptors are listed in order of first use, as `h`
// values index them.
//
// Two corruptions stay hidden behind sd-bus's interface: it reads any boolean but 0 as true, and does not
// tell that bytes are left behind the last value. What is written here is sound in both cases.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "inbox/inbox.h"
#include "sdbus/api.h"
#include "sdbus/fd_index.h"
#include "wire/writer.h"

namespace busbar::sdbus {

enum class BodyFault {
  kNone,
  // The bytes do not fit the signature.
  kInvalid,
  // sd-bus refuses a string. It does not say why: the string is invalid, or holds a Unicode noncharacter,
  // which is valid.
  kRefusedText,
  // The writer's memory, or the space for descriptors, is full; or there is no memory.
  kNoSpace,
  // The values would take more memory, or the body is longer, than the receiver allows.
  kDecodedSize,
  kMessageSize,
};

class BodyReader {
 public:
  // Borrows its arguments; descriptors written to `fds` still belong to the message.
  BodyReader(const Api& api, sd_bus_message* message, wire::Writer& writer, std::span<int32_t> fds,
             const inbox::Limits& limits = {})
      : api_(api), message_(message), writer_(writer), fds_(fds), limits_(limits) {}

  // Reads the whole body, from the beginning.
  [[nodiscard]] BodyFault read();
  // How many descriptors the body refers to.
  size_t fd_count() const { return fds_.size(); }

 private:
  // All steps return false after setting `fault_`.
  bool read_types(std::string_view types, unsigned depth);
  bool read_type(std::string_view type, unsigned depth);
  bool read_basic(char code);
  bool read_text(char code);
  bool read_array(std::string_view element, unsigned depth);
  bool read_plain_array(char code);
  bool read_elements(std::string_view element, unsigned depth);
  // An entry of a dictionary; `indices` as `wire::index_cost` takes it.
  bool read_entry(std::string_view entry, unsigned depth, uint32_t& indices);
  bool read_variant(unsigned depth);
  bool enter(char kind, std::string_view contents);
  bool leave();

  bool invalid() { return fail(BodyFault::kInvalid); }
  // What values cost once they are decoded; false where that, or the body, has become too much.
  bool charge(uint64_t cost);
  bool written(bool good) { return good || fail(BodyFault::kNoSpace); }
  bool fail(BodyFault fault) {
    fault_ = fault;
    return false;
  }

  const Api& api_;
  sd_bus_message* message_;
  wire::Writer& writer_;
  FdIndex fds_;
  const inbox::Limits limits_;
  uint64_t cost_ = 0;
  // The string that was read last.
  std::string_view text_;
  BodyFault fault_ = BodyFault::kNone;
};

}  // namespace busbar::sdbus
