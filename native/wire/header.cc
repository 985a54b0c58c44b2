// Reads message headers: the fixed part, then the array of fields, in place.
#include "wire/header.h"

#include <bit>
#include <cstring>

#include "wire/names.h"
#include "wire/signature.h"
#include "wire/validator.h"
#include "wire/work.h"

namespace busbar::wire {

namespace {

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

uint32_t load_uint32(const uint8_t* at, bool swapped) {
  uint32_t value;
  std::memcpy(&value, at, 4);
  return swapped ? __builtin_bswap32(value) : value;
}

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

// A cursor over the fields. Every known field is a struct of a code, a signature of one type, and a value;
// its first four bytes therefore look the same in either byte order.
class FieldParser {
 public:
  FieldParser(std::span<const uint8_t> bytes, const Frame& frame, Header& header)
      : base_(bytes.data()),
        end_(kFixedHeaderLength + frame.fields_length),
        swapped_(frame.swapped),
        header_(header) {}

  // Reads all fields, or as many as can be told apart.
  Verdict read() {
    while (at_ < end_) {
      if (field()) continue;
      header_.is_whole = header_.is_addressed = false;
      break;
    }
    return verdict_;
  }

 private:
  // False where the next field cannot be found.
  bool field() {
    step();
    if (!align()) return false;
    if (end_ - at_ < 4) return fail(Rule::kFieldBounds);
    const uint8_t code = base_[at_];
    if (code == 0 || code > kUnixFdsField) {
      if (code == 0) note(Rule::kFieldCode);
      return other_field();
    }
    const uint16_t bit = static_cast<uint16_t>(1u << code);
    if ((seen_ & bit) != 0) return misplaced_field(code, Rule::kFieldTwice);
    seen_ |= bit;
    if (base_[at_ + 1] != 1 || base_[at_ + 3] != 0) return misplaced_field(code, Rule::kFieldType);
    const char type = static_cast<char>(base_[at_ + 2]);
    if (std::string_view* text = string_field(header_, code)) {
      if (type != (code == kPathField ? 'o' : 's')) return misplaced_field(code, Rule::kFieldType);
      at_ += 4;
      return string(*text);
    }
    if (type != (code == kSignatureField ? 'g' : 'u')) return misplaced_field(code, Rule::kFieldType);
    at_ += 4;
    if (code == kSignatureField) return signature();
    if (code == kUnixFdsField) return uint32(header_.unix_fds);
    header_.reply_serial_at = static_cast<uint32_t>(at_);
    if (!uint32(header_.reply_serial)) return false;
    if (header_.reply_serial == 0) note(Rule::kReplySerial);
    return true;
  }

  // The first rule that is broken counts.
  void note(Rule rule) {
    if (verdict_.is_sound()) verdict_ = {rule, at_};
  }

  bool fail(Rule rule) {
    note(rule);
    return false;
  }

  bool align() {
    const size_t padding = (0 - at_) & 7;
    if (padding > end_ - at_) return fail(Rule::kFieldBounds);
    for (size_t left = padding; left > 0; left--, at_++) {
      if (base_[at_] != 0) note(Rule::kFieldPadding);
    }
    return true;
  }

  // Values of known fields begin four bytes behind an 8-byte boundary: no padding.
  bool uint32(uint32_t& value) {
    if (end_ - at_ < 4) return fail(Rule::kFieldBounds);
    value = load_uint32(base_ + at_, swapped_);
    at_ += 4;
    return true;
  }

  bool string(std::string_view& text) {
    uint32_t length;
    return uint32(length) && terminated(length, text);
  }

  bool signature() {
    if (end_ == at_) return fail(Rule::kFieldBounds);
    return terminated(base_[at_++], header_.signature);
  }

  bool terminated(size_t length, std::string_view& text) {
    // Compared without adding, which could overflow where size_t has 32 bits.
    if (end_ == at_ || length > end_ - at_ - 1) return fail(Rule::kFieldBounds);
    if (base_[at_ + length] != 0) return fail(Rule::kFieldString);
    text = {reinterpret_cast<const char*>(base_ + at_), length};
    at_ += length + 1;
    return true;
  }

  // A field that this header cannot use, whose value is skipped.
  [[gnu::noinline]] bool misplaced_field(uint8_t code, Rule rule) {
    note(rule);
    if (code == kDestinationField || code == kSenderField) header_.is_addressed = false;
    // How many descriptors are the message's own is not known any more.
    if (code == kUnixFdsField) header_.is_whole = false;
    return other_field();
  }

  // Not of this version of the specification: to be ignored, but it must be a value of its type. Skipped in
  // place, because every byte may belong to such fields.
  [[gnu::noinline]] bool other_field() {
    const size_t type_length = base_[at_ + 1];
    if (end_ - at_ < 3 + type_length) return fail(Rule::kFieldBounds);
    const std::string_view type(reinterpret_cast<const char*>(base_ + at_ + 2), type_length);
    if (base_[at_ + 2 + type_length] != 0) return fail(Rule::kFieldString);
    size_t at = at_ + 3 + type_length;
    if (!check_value(type, {base_, end_}, at, swapped_).is_sound()) return fail(Rule::kFieldValue);
    at_ = at;
    return true;
  }

  const uint8_t* base_;
  size_t at_ = kFixedHeaderLength;
  const size_t end_;
  const bool swapped_;
  Header& header_;
  uint16_t seen_ = 0;
  Verdict verdict_;
};

// Section "Header Fields": which fields a message of each type must carry.
bool has_required_fields(const Header& header) {
  const auto has = [](std::string_view field) { return field.data() != nullptr; };
  switch (header.type) {
    case kMethodCall:
      return has(header.path) && has(header.member);
    case kMethodReturn:
      return header.reply_serial != 0;
    case kError:
      return header.reply_serial != 0 && has(header.error_name);
    case kSignal:
      return has(header.path) && has(header.interface) && has(header.member);
    default:
      return true;
  }
}

struct NamedField {
  Name name;
  std::string_view text;
};

}  // namespace

Verdict read_frame(std::span<const uint8_t> bytes, Frame& frame) {
  if (bytes.empty()) return {Rule::kTruncated, 0};
  if (bytes[0] != 'l' && bytes[0] != 'B') return {Rule::kByteOrder, 0};
  if (bytes.size() < kFixedHeaderLength) return {Rule::kTruncated, bytes.size()};
  frame.swapped = (bytes[0] == 'l') != (std::endian::native == std::endian::little);
  if (bytes[1] == 0) return {Rule::kMessageType, 1};
  if (bytes[3] != 1) return {Rule::kVersion, 3};
  frame.serial = load_uint32(&bytes[8], frame.swapped);
  if (frame.serial == 0) return {Rule::kSerial, 8};
  frame.fields_length = load_uint32(&bytes[12], frame.swapped);
  if (frame.fields_length > kMaxArrayLength) return {Rule::kFieldsLength, 12};
  frame.body_offset = (kFixedHeaderLength + size_t{frame.fields_length} + 7) & ~size_t{7};
  frame.body_length = load_uint32(&bytes[4], frame.swapped);
  if (frame.body_length > kMaxMessageLength || frame.message_length() > kMaxMessageLength) {
    return {Rule::kMessageLength, 4};
  }
  return {};
}

Verdict parse_header(std::span<const uint8_t> bytes, const Frame& frame, Header& header) {
  header = Header{};
  header.swapped = frame.swapped;
  header.type = bytes[1];
  header.flags = bytes[2];
  header.serial = frame.serial;
  header.body_offset = frame.body_offset;
  header.body_length = frame.body_length;
  const Verdict verdict = FieldParser(bytes, frame, header).read();
  if (!verdict.is_sound()) return verdict;
  for (size_t at = kFixedHeaderLength + frame.fields_length; at < frame.body_offset; at++) {
    if (bytes[at] != 0) return {Rule::kHeaderPadding, at};
  }
  if (!has_required_fields(header)) return {Rule::kMissingField, kFixedHeaderLength};
  if (header.signature.empty() && header.body_length != 0) return {Rule::kSignatureMissing, 4};
  return {};
}

Verdict check_names(std::span<const uint8_t> bytes, const Header& header) {
  // In the order in which messages are stored: of several broken rules both tell the same.
  const NamedField fields[] = {
      {Name::kSender, header.sender},        {Name::kDestination, header.destination},
      {Name::kSignature, header.signature},  {Name::kPath, header.path},
      {Name::kInterface, header.interface},  {Name::kMember, header.member},
      {Name::kErrorName, header.error_name},
  };
  for (const auto& [name, text] : fields) {
    if (text.data() == nullptr) continue;
    const Rule rule = check_name(name, text);
    if (rule != Rule::kNone) return {rule, offset_in(bytes, text)};
  }
  return {};
}

Verdict read_header(std::span<const uint8_t> bytes, Header& header) {
  header = Header{};
  Frame frame;
  const Verdict framed = read_frame(bytes, frame);
  if (!framed.is_sound()) return framed;
  if (bytes.size() < frame.message_length()) return {Rule::kTruncated, bytes.size()};
  const Verdict parsed = parse_header(bytes, frame, header);
  if (!parsed.is_sound()) return parsed;
  for (const std::string_view text :
       {header.path, header.interface, header.member, header.error_name, header.destination, header.sender}) {
    const size_t nul = text.find('\0');
    if (nul != std::string_view::npos) return {Rule::kEmbeddedNul, offset_in(bytes, text) + nul};
  }
  if (!is_valid_signature(header.signature)) {
    return {Rule::kSignature, offset_in(bytes, header.signature)};
  }
  return {};
}

size_t offset_in(std::span<const uint8_t> bytes, std::string_view text) {
  return static_cast<size_t>(reinterpret_cast<const uint8_t*>(text.data()) - bytes.data());
}

}  // namespace busbar::wire
