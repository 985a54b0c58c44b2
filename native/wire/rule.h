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

  // Headers. Section "Message Format" of the specification.
  kByteOrder,
  kMessageType,
  kVersion,
  kSerial,
  kFieldsLength,
  kMessageLength,
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
  kFdCount,
  kFdFlood,

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
};

// What was found, and where: bytes from the beginning of the message (or of the body, for those of bodies).
struct [[nodiscard]] Verdict {
  Rule rule = Rule::kNone;
  size_t offset = 0;

  bool is_sound() const { return rule == Rule::kNone; }
};

// The broken rule in words, which go on after "the other side broke the protocol: ".
std::string_view describe(Rule rule);

}  // namespace busbar::wire
