// Words the rules, for the errors that users read.
#include "wire/rule.h"

namespace busbar::wire {

std::string_view describe(Rule rule) {
  switch (rule) {
    case Rule::kNone:
      return "no rule is broken";
    case Rule::kTruncated:
      return "the message is not complete";
    case Rule::kByteOrder:
      return "the byte order must be l or B";
    case Rule::kMessageType:
      return "the message type must not be 0";
    case Rule::kVersion:
      return "the protocol version must be 1";
    case Rule::kSerial:
      return "the serial must not be 0";
    case Rule::kFieldsLength:
      return "header fields must not exceed 64 MiB";
    case Rule::kMessageLength:
      return "a message must not exceed 128 MiB";
    case Rule::kFieldBounds:
      return "a header field must end within the header";
    case Rule::kFieldPadding:
      return "padding between header fields must be zero";
    case Rule::kFieldCode:
      return "a header field must not have the code 0";
    case Rule::kFieldType:
      return "a header field must have the type that the specification gives it";
    case Rule::kFieldTwice:
      return "a header field must not appear twice";
    case Rule::kFieldString:
      return "a string of a header field must end with NUL";
    case Rule::kFieldValue:
      return "the value of an unknown header field must be valid";
    case Rule::kReplySerial:
      return "REPLY_SERIAL must not be 0";
    case Rule::kMissingField:
      return "the header must have the fields that its message type requires";
    case Rule::kHeaderPadding:
      return "padding behind the header must be zero";
    case Rule::kPath:
      return "PATH must be an object path";
    case Rule::kInterface:
      return "INTERFACE must be an interface name";
    case Rule::kMember:
      return "MEMBER must be a member name";
    case Rule::kErrorName:
      return "ERROR_NAME must be an error name";
    case Rule::kDestination:
      return "DESTINATION must be a bus name";
    case Rule::kSender:
      return "SENDER must be a bus name";
    case Rule::kSignature:
      return "SIGNATURE must be a valid signature";
    case Rule::kSignatureMissing:
      return "a message with a body must have a SIGNATURE";
    case Rule::kLocal:
      return "a message must not use the path or interface that is reserved for local messages";
    case Rule::kFdCount:
      return "as many file descriptors must come with a message as UNIX_FDS says";
    case Rule::kFdFlood:
      return "a message must not come with more than 1024 file descriptors";
    case Rule::kFdsUnknown:
      return "a header that comes with file descriptors must tell how many are its own";
    case Rule::kFdsUnasked:
      return "file descriptors must not be sent where this side did not agree to them";
    case Rule::kBodyBounds:
      return "values must end within the body, or within the array that they are in";
    case Rule::kBodyPadding:
      return "padding must be zero";
    case Rule::kBodyEnd:
      return "the body must end with the last value of its signature";
    case Rule::kBoolean:
      return "a boolean must be 0 or 1";
    case Rule::kStringEnd:
      return "a string must end with NUL";
    case Rule::kEmbeddedNul:
      return "a string must not contain NUL";
    case Rule::kUtf8:
      return "a string must be valid UTF-8";
    case Rule::kObjectPathValue:
      return "an object path must be valid";
    case Rule::kSignatureValue:
      return "a signature must be valid";
    case Rule::kVariantType:
      return "a variant must have exactly one complete type";
    case Rule::kDepth:
      return "values must not be nested in more than 64 containers";
    case Rule::kArrayLength:
      return "an array must not exceed 64 MiB";
    case Rule::kArrayEnd:
      return "an array must end where its last element does";
    case Rule::kFdIndex:
      return "a file descriptor must be one of those that came with the message";
    case Rule::kDecodedSize:
      return "the values must not take more memory than the receiver allows";
  }
  return "";
}

}  // namespace busbar::wire
