// The header of a message (D-Bus specification, "Message Format"), read from marshalled bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace busbar::wire {

enum MessageType : uint8_t { kMethodCall = 1, kMethodReturn = 2, kError = 3, kSignal = 4 };

enum HeaderFlag : uint8_t {
  kNoReplyExpected = 1,
  kNoAutoStart = 2,
  kAllowInteractiveAuthorization = 4,
};

// Limits of the specification: an array's data, and a whole message.
inline constexpr uint32_t kMaxArrayLength = 1u << 26;
inline constexpr uint32_t kMaxMessageLength = 1u << 27;

// Absent string fields are views without data; strings present are NUL-terminated in the message.
struct Header {
  bool swapped = false;
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t serial = 0;
  uint32_t reply_serial = 0;
  uint32_t unix_fds = 0;
  std::string_view path;
  std::string_view interface;
  std::string_view member;
  std::string_view error_name;
  std::string_view destination;
  std::string_view sender;
  std::string_view signature;
  // Bytes from the beginning of the message to the body, padding included.
  size_t body_offset = 0;
  size_t body_length = 0;

  size_t message_length() const { return body_offset + body_length; }
};

enum class HeaderFault {
  kNone,
  kTruncated,
  kByteOrder,
  kType,
  kVersion,
  kSerial,
  kLength,
  kField,
  kMissingField,
  kSignature,
  kPadding,
};

// Reads the header of the message that `bytes` begin with. The message may be followed by others;
// `kTruncated` says that `bytes` end before it does. Header strings are checked for their form on the wire,
// not for the grammar of names: that is for whoever sends or accepts them.
[[nodiscard]] HeaderFault read_header(std::span<const uint8_t> bytes, Header& header);

}  // namespace busbar::wire
