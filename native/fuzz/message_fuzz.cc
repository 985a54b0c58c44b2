// Whole messages: the verdict of the validator, held against the same message in the other byte order, and
// against a second reading of its body.
#include <bit>

#include "fuzz/byte_swap.h"
#include "fuzz/fuzz.h"
#include "wire/message.h"
#include "wire/validator.h"

using namespace busbar;
using namespace busbar::fuzz;

namespace {

static_assert(std::endian::native == std::endian::little);

// The fixed part and the array of header fields. Their byte order must be known: the signature is.
constexpr std::string_view kHeaderSignature = "yyyyuua(yv)";

// The cost of the values is the smallest accepted limit: with one byte less, the body is refused, at its end
// at the latest.
void check_cost(const wire::Header& header, std::span<const uint8_t> original, uint64_t cost) {
  HOLDS(cost >= original.size());
  for (const uint64_t allowed : {cost, cost - 1}) {
    std::vector<uint8_t> body = copy_of(original);
    const wire::Verdict verdict = wire::Validator().validate(
        header.signature, body, header.swapped, {.fd_count = header.unix_fds, .decoded_size = allowed});
    if (cost > 0) HOLDS(verdict.rule == (allowed < cost ? wire::Rule::kDecodedSize : wire::Rule::kNone));
  }
}

void check_body(std::span<const uint8_t> message, const wire::Header& header) {
  const std::span<const uint8_t> original = message.subspan(header.body_offset, header.body_length);
  std::vector<uint8_t> body = copy_of(original), swapped = copy_of(original);
  wire::Validator validator;
  const wire::Verdict verdict = validator.validate(header.signature, body, header.swapped, header.unix_fds);
  if (verdict.is_sound()) check_cost(header, original, validator.cost());
  ByteSwap swap(swapped, 0, header.swapped);
  const bool is_read = swap.values(header.signature);
  if (verdict.is_sound()) HOLDS(is_read && swap.at() == swapped.size());
  if (!is_read) HOLDS(!verdict.is_sound());

  // The other byte order: the same verdict at the same place, and in the end the same bytes.
  const wire::Verdict other =
      wire::Validator().validate(header.signature, swapped, !header.swapped, header.unix_fds);
  HOLDS(other.rule == verdict.rule && other.offset == verdict.offset);
  HOLDS(verdict.offset <= body.size());
  if (!verdict.is_sound()) return;
  HOLDS(body == swapped);
  // The body is in native order now: it is valid, and does not change.
  HOLDS(wire::Validator().validate(header.signature, swapped, false, header.unix_fds).is_sound());
  HOLDS(body == swapped);
}

void check_other_order(std::span<const uint8_t> message, const wire::Header& header) {
  std::vector<uint8_t> other = copy_of(message.first(header.message_length()));
  const std::span<uint8_t> bytes(other);
  ByteSwap head(bytes.first(header.body_offset), 0, header.swapped);
  HOLDS(head.values(kHeaderSignature));
  ByteSwap body(bytes.subspan(header.body_offset), 0, header.swapped);
  HOLDS(body.values(header.signature));
  other[0] = header.swapped ? 'l' : 'B';
  const wire::MessageVerdict verdict = wire::check_message(other);
  HOLDS(verdict.is_sound() && verdict.length == header.message_length());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> message(data, size);
  std::vector<uint8_t> checked = copy_of(message);
  const Work work;
  const wire::MessageVerdict verdict = wire::check_message(checked);
  HOLDS(work.is_within(size));
  if (verdict.part == wire::MessageVerdict::Part::kFrame) {
    HOLDS(!verdict.is_sound() && verdict.length == 0 && verdict.verdict.offset <= size);
    HOLDS(verdict.verdict.rule == wire::Rule::kTruncated || wire::breaks_frame(verdict.verdict.rule));
    return 0;
  }
  if (verdict.part == wire::MessageVerdict::Part::kHeader) {
    // It costs only itself: where the next one begins is known.
    HOLDS(!verdict.is_sound() && !wire::breaks_frame(verdict.verdict.rule));
    HOLDS(verdict.length >= wire::kFixedHeaderLength && verdict.length <= size);
    return 0;
  }
  wire::Frame frame;
  wire::Header header;
  HOLDS(wire::read_frame(message, frame).is_sound());
  HOLDS(wire::parse_header(message, frame, header).is_sound());
  HOLDS(wire::check_names(message, header).is_sound());
  HOLDS(verdict.length == frame.message_length() && verdict.length <= size);
  check_body(message, header);
  if (!verdict.is_sound()) return 0;
  check_other_order(message, header);
  // Nothing behind the message counts, and nothing within it can be spared.
  std::vector<uint8_t> alone = copy_of(message.first(verdict.length));
  HOLDS(wire::check_message(alone).is_sound());
  alone.pop_back();
  const wire::MessageVerdict short_of_one = wire::check_message(alone);
  HOLDS(short_of_one.verdict.rule == wire::Rule::kTruncated && short_of_one.length == 0);
  return 0;
}
