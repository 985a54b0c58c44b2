// The grammar of names in message headers (D-Bus specification, "Valid Names" and "Valid Object Paths").
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/rule.h"

namespace busbar::wire {

inline constexpr size_t kMaxNameLength = 255;

// The header fields that hold strings.
enum class Name : uint8_t {
  kPath,
  kInterface,
  kMember,
  kErrorName,
  kDestination,
  kSender,
  kSignature,
};

[[nodiscard]] bool is_object_path(std::string_view text);
[[nodiscard]] bool is_interface_name(std::string_view text);
[[nodiscard]] bool is_member_name(std::string_view text);
// Unique or well-known.
[[nodiscard]] bool is_bus_name(std::string_view text);

// The rule that `text` breaks as the value of that header field of a received message; `kNone` if it is fine.
[[nodiscard]] Rule check_name(Name name, std::string_view text);

}  // namespace busbar::wire
