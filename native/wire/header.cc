// Reads message headers: the fixed part, then the array of fields.
#include "wire/header.h"

#include <bit>

#include "wire/reader.h"
#include "wire/signature.h"

namespace busbar::wire {

namespace {

constexpr size_t kFixedLength = 16;

// Field codes of the specification, section "Header Fields".
enum Field : uint8_t {
  kPathField = 1,
  kInterfaceField,
  kMemberField,
  kErrorNameField,
  kReplySerialField,
  kDestinationField,
  kSenderField,
  kSignatureField,
  kUnixFdsField,
};

std::string_view* string_field(Header& header, uint8_t code) {
  switch (code) {
    case kPathField:
      return &header.path;
    case kInterfaceField:
      return &header.interface;
    case kMemberField:
      return &header.member;
    case kErrorNameField:
      return &header.error_name;
    case kDestinationField:
      return &header.destination;
    case kSenderField:
      return &header.sender;
    default:
      return nullptr;
  }
}

// Skips one value of an unknown field. Only basic types are known to be used by anyone; a container is
// skipped by nobody before us either (sd-bus and libdbus validate it by its type, we refuse the message).
bool skip_basic(Reader& reader, char code) {
  std::string_view text;
  const uint8_t* at;
  if (code == 's' || code == 'o') return reader.string(text);
  if (code == 'g') return reader.signature(text);
  const size_t size = code == 'b' || code == 'h' ? 4 : plain_size(code);
  return size != 0 && reader.align(size) && reader.take(size, at);
}

bool read_field(Reader& reader, Header& header) {
  uint8_t code;
  std::string_view type;
  if (!reader.align(8) || !reader.byte(code) || !reader.signature(type)) return false;
  if (code == 0 || type.size() != 1) return false;
  if (std::string_view* field = string_field(header, code)) {
    return type[0] == (code == kPathField ? 'o' : 's') && reader.string(*field);
  }
  if (code == kSignatureField) return type[0] == 'g' && reader.signature(header.signature);
  if (code == kReplySerialField)
    return type[0] == 'u' && reader.uint32(header.reply_serial) && header.reply_serial != 0;
  if (code == kUnixFdsField) return type[0] == 'u' && reader.uint32(header.unix_fds);
  return skip_basic(reader, type[0]);
}

// Section "Header Fields": which fields a message of each type must carry.
bool has_required_fields(const Header& header) {
  switch (header.type) {
    case kMethodCall:
      return !header.path.empty() && !header.member.empty();
    case kMethodReturn:
      return header.reply_serial != 0;
    case kError:
      return header.reply_serial != 0 && !header.error_name.empty();
    case kSignal:
      return !header.path.empty() && !header.interface.empty() && !header.member.empty();
    default:
      return true;
  }
}

}  // namespace

HeaderFault read_header(std::span<const uint8_t> bytes, Header& header) {
  header = Header{};
  if (bytes.size() < kFixedLength) return HeaderFault::kTruncated;
  if (bytes[0] != 'l' && bytes[0] != 'B') return HeaderFault::kByteOrder;
  header.swapped = (bytes[0] == 'l') != (std::endian::native == std::endian::little);
  header.type = bytes[1];
  header.flags = bytes[2];
  if (header.type == 0) return HeaderFault::kType;
  if (bytes[3] != 1) return HeaderFault::kVersion;

  Reader fixed(bytes.subspan(4, kFixedLength - 4), header.swapped);
  uint32_t body_length, fields_length;
  if (!fixed.uint32(body_length) || !fixed.uint32(header.serial) || !fixed.uint32(fields_length)) {
    return HeaderFault::kTruncated;
  }
  if (header.serial == 0) return HeaderFault::kSerial;
  if (fields_length > kMaxArrayLength) return HeaderFault::kLength;
  header.body_offset = (kFixedLength + size_t{fields_length} + 7) & ~size_t{7};
  header.body_length = body_length;
  if (body_length > kMaxMessageLength || header.message_length() > kMaxMessageLength)
    return HeaderFault::kLength;
  if (bytes.size() < header.message_length()) return HeaderFault::kTruncated;

  Reader fields(bytes.first(kFixedLength + fields_length), header.swapped);
  const uint8_t* skipped;
  if (!fields.take(kFixedLength, skipped)) return HeaderFault::kTruncated;
  while (fields.left() > 0) {
    if (!read_field(fields, header)) return HeaderFault::kField;
  }
  for (size_t i = kFixedLength + fields_length; i < header.body_offset; i++) {
    if (bytes[i] != 0) return HeaderFault::kPadding;
  }
  if (!has_required_fields(header)) return HeaderFault::kMissingField;
  if (!is_valid_signature(header.signature)) return HeaderFault::kSignature;
  if (header.signature.empty() && header.body_length != 0) return HeaderFault::kSignature;
  return HeaderFault::kNone;
}

}  // namespace busbar::wire
