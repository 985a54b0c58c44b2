// Checks the frame, the header, the names and the body, one after the other.
#include "wire/message.h"

#include "wire/validator.h"

namespace busbar::wire {

MessageVerdict check_message(std::span<uint8_t> bytes) {
  using Part = MessageVerdict::Part;
  Frame frame;
  Verdict verdict = read_frame(bytes, frame);
  if (!verdict.is_sound()) return {Part::kFrame, verdict, 0};
  if (frame.message_length() > bytes.size()) return {Part::kFrame, {Rule::kTruncated, bytes.size()}, 0};
  Header header;
  verdict = parse_header(bytes, frame, header);
  if (verdict.is_sound()) verdict = check_names(bytes, header);
  if (!verdict.is_sound()) return {Part::kHeader, verdict, frame.message_length()};
  const std::span<uint8_t> body = bytes.subspan(frame.body_offset, frame.body_length);
  verdict = Validator().validate(header.signature, body, frame.swapped, header.unix_fds);
  return {Part::kBody, verdict, frame.message_length()};
}

}  // namespace busbar::wire
