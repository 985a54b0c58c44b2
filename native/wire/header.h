// The header of a message (D-Bus specification, "Message Format"), read from marshalled bytes.
//
// In three steps, so that a reader takes only those that it needs: `read_frame` tells from the first 16 bytes
// where header and body end, `parse_header` reads the fields, and `check_names` checks their strings against
// the grammar of names.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "wire/rule.h"

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

// The length of everything before the array of header fields, including the length of the array.
inline constexpr size_t kFixedHeaderLength = 16;

// Where the parts of a message are.
struct Frame {
  bool swapped = false;
  uint32_t serial = 0;
  uint32_t fields_length = 0;
  // Bytes from the beginning of the message to the body, padding included.
  size_t body_offset = 0;
  size_t body_length = 0;

  size_t message_length() const { return body_offset + body_length; }
};

// Absent string fields are views without data; strings present are NUL-terminated in the message.
struct Header {
  bool swapped = false;
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t serial = 0;
  uint32_t reply_serial = 0;
  // Where it is in the message; 0 if the message has none.
  uint32_t reply_serial_at = 0;
  uint32_t unix_fds = 0;
  std::string_view path;
  std::string_view interface;
  std::string_view member;
  std::string_view error_name;
  std::string_view destination;
  std::string_view sender;
  std::string_view signature;
  size_t body_offset = 0;
  size_t body_length = 0;
  // Of a header that breaks a rule: whether every field was found, and whether sender and destination were
  // read.
  bool is_whole = true;
  bool is_addressed = true;

  size_t message_length() const { return body_offset + body_length; }
};

// Reads where the message that `bytes` begin with ends. `kTruncated` if that takes more bytes; anything else
// but `kNone` is final, as nothing in the stream can be found behind it.
Verdict read_frame(std::span<const uint8_t> bytes, Frame& frame);

// Reads the header of a message whose `frame` was read, from at least its first `body_offset` bytes: the form
// of all fields, and which ones there are. What the strings hold is not looked at, not even for NULs. The
// verdict is on the first rule that is broken; what can be read of the other fields is read nevertheless, so
// that a caller gets an answer. Takes time in proportion to the bytes.
Verdict parse_header(std::span<const uint8_t> bytes, const Frame& frame, Header& header);

// Checks all strings of a parsed header, in `bytes`.
Verdict check_names(std::span<const uint8_t> bytes, const Header& header);

// Reads the header of a message that TypeScript made: of the strings only NULs and an invalid signature are
// refused, which would do harm. TypeScript has checked the grammar of names.
// `kTruncated` if the message does not end within `bytes`.
Verdict read_header(std::span<const uint8_t> bytes, Header& header);

// Where a string of a header is in its message.
size_t offset_in(std::span<const uint8_t> bytes, std::string_view text);

}  // namespace busbar::wire
