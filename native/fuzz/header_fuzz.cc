// Headers: where a message ends, and what its fields are.
#include <string>

#include "fuzz/fuzz.h"
#include "wire/header.h"
#include "wire/signature.h"

using namespace busbar;
using namespace busbar::fuzz;

namespace {

// A verdict on the first bytes of a message does not change when more bytes arrive.
void check_prefixes(std::span<const uint8_t> bytes, const wire::Verdict& whole, const wire::Frame& frame) {
  for (size_t length = 0; length < bytes.size() && length <= wire::kFixedHeaderLength; length++) {
    const std::vector<uint8_t> prefix = copy_of(bytes.first(length));
    wire::Frame early;
    const wire::Verdict verdict = wire::read_frame(prefix, early);
    if (verdict.rule == wire::Rule::kTruncated) continue;
    HOLDS(verdict.rule == whole.rule && verdict.offset == whole.offset);
    if (verdict.is_sound()) HOLDS(early.message_length() == frame.message_length());
  }
}

void check_string(std::span<const uint8_t> head, std::string_view text) {
  if (text.data() == nullptr) return;
  const size_t offset = wire::offset_in(head, text);
  HOLDS(offset > wire::kFixedHeaderLength && offset + text.size() < head.size());
  HOLDS(head[offset + text.size()] == 0);
}

bool has(std::string_view field) { return field.data() != nullptr; }

void check_fields(std::span<const uint8_t> head, const wire::Header& header) {
  for (const std::string_view text : {header.path, header.interface, header.member, header.error_name,
                                      header.destination, header.sender, header.signature}) {
    check_string(head, text);
  }
  HOLDS(header.serial != 0 && header.type != 0);
  if (header.type == wire::kMethodCall || header.type == wire::kSignal) {
    HOLDS(has(header.path) && has(header.member));
  }
  if (header.type == wire::kSignal) HOLDS(has(header.interface));
  if (header.type == wire::kError) HOLDS(has(header.error_name));
  if (header.type == wire::kMethodReturn || header.type == wire::kError) HOLDS(header.reply_serial != 0);
  if (header.body_length > 0) HOLDS(!header.signature.empty());
}

// Strings that the grammar of names lets pass cannot be misread by what takes C strings.
void check_strings(std::span<const uint8_t> head, const wire::Header& header) {
  if (!wire::check_names(head, header).is_sound()) return;
  for (const std::string_view text : {header.path, header.interface, header.member, header.error_name,
                                      header.destination, header.sender, header.signature}) {
    HOLDS(text.find('\0') == std::string_view::npos);
  }
  HOLDS(wire::is_valid_signature(header.signature));
  if (has(header.path)) HOLDS(header.path.starts_with('/'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<uint8_t> bytes = copy_of({data, size});
  wire::Frame frame;
  const wire::Verdict framed = wire::read_frame(bytes, frame);
  check_prefixes(bytes, framed, frame);
  if (!framed.is_sound()) {
    HOLDS(framed.rule == wire::Rule::kTruncated ? size < wire::kFixedHeaderLength : framed.offset < size);
    return 0;
  }
  HOLDS(frame.body_offset % 8 == 0 && frame.body_offset >= wire::kFixedHeaderLength + frame.fields_length);
  HOLDS(frame.message_length() <= wire::kMaxMessageLength && frame.fields_length <= wire::kMaxArrayLength);
  if (frame.body_offset > size) return 0;

  // Without the body: the header must be readable before the body has come.
  const std::vector<uint8_t> head = copy_of(std::span(bytes).first(frame.body_offset));
  wire::Header header;
  const Work work;
  const wire::Verdict parsed = wire::parse_header(head, frame, header);
  HOLDS(work.is_within(head.size()));
  HOLDS(parsed.offset <= head.size() && !wire::breaks_frame(parsed.rule));
  for (const std::string_view text : {header.path, header.interface, header.member, header.error_name,
                                      header.destination, header.sender, header.signature}) {
    check_string(head, text);
  }
  if (parsed.is_sound()) {
    check_fields(head, header);
    check_strings(head, header);
  }
  // The way for messages of our own agrees on all but the grammar of names.
  if (frame.message_length() > size) return 0;
  wire::Header own;
  const wire::Verdict read = wire::read_header(bytes, own);
  if (!parsed.is_sound()) HOLDS(read.rule == parsed.rule && read.offset == parsed.offset);
  if (read.is_sound()) {
    HOLDS(own.path == header.path && own.signature == header.signature && own.unix_fds == header.unix_fds);
  } else if (parsed.is_sound()) {
    HOLDS(!wire::check_names(head, header).is_sound());
  }
  return 0;
}
