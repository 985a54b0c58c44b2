// The rules that a message can break, header and body, and what a verdict on a message is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace busbar::wire {

enum class Rule : uint8_t {
  kNone,
  // No broken rule: the bytes end before the message does.
  kTruncated,

  // The frame. Section "Message Format" of the specification. What breaks it ends the connection: where the
  // next message begins is not known, or the message is none that a bus forwards.
  kByteOrder,
  kMessageType,
  kVersion,
  kSerial,
  kFieldsLength,
  kMessageLength,
  // Descriptors that came cannot be told apart by message any more.
  kFdCount,
  kFdFlood,
  kFdsUnknown,

  // Header fields, which the frame delimits: they cost only their own message.
  kFieldBounds,
  kFieldPadding,
  kFieldCode,
  kFieldType,
  kFieldTwice,
  kFieldString,
  kFieldValue,
  kReplySerial,
  kMissingField,
  kHeaderPadding,
  kPath,
  kInterface,
  kMember,
  kErrorName,
  kDestination,
  kSender,
  kSignature,
  kSignatureMissing,
  kLocal,
  kFdsUnasked,

  // Bodies. Section "Marshaling (Wire Format)".
  kBodyBounds,
  kBodyPadding,
  kBodyEnd,
  kBoolean,
  kStringEnd,
  kEmbeddedNul,
  kUtf8,
  kObjectPathValue,
  kSignatureValue,
  kVariantType,
  kDepth,
  kArrayLength,
  kArrayEnd,
  kFdIndex,
  // Not broken, but more than the receiver wants of one message.
  kDecodedSize,
};

// Whether the connection cannot go on behind a message that breaks this rule.
constexpr bool breaks_frame(Rule rule) { return rule >= Rule::kByteOrder && rule <= Rule::kFdsUnknown; }

// The finding and its place: bytes from the beginning of the message (or of the body, for rules of bodies).
struct [[nodiscard]] Verdict {
  Rule rule = Rule::kNone;
  size_t offset = 0;

  bool is_sound() const { return rule == Rule::kNone; }
};

// The broken rule in words, which go on after "the other side broke the protocol: ".
std::string_view describe(Rule rule);

}  // namespace busbar::wire
