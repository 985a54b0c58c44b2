// Compares all bytes of a header but the body's length and the serials, which are in places of their own.
#include "inbox/recent_headers.h"

#include <cstring>

#include "wire/work.h"

namespace busbar::inbox {

namespace {

constexpr size_t kSerialLength = 4;

bool is_same(const uint8_t* one, const uint8_t* other, size_t from, size_t to) {
  return std::memcmp(one + from, other + from, to - from) == 0;
}

}  // namespace

const RecentHeaders::Entry* RecentHeaders::find(std::span<const uint8_t> bytes, const wire::Frame& frame,
                                                uint64_t evictions) const {
  if (places_ == nullptr || frame.swapped) return nullptr;
  const Entry& entry = (*places_)[place_of(frame)];
  const size_t length = frame.body_offset, at = entry.reply_serial_at;
  if (entry.length != length || entry.fields_length != frame.fields_length || entry.evictions != evictions ||
      (entry.signature_length == 0 && frame.body_length > 0)) {
    return nullptr;
  }
  wire::step(length / 8);
  const uint8_t* const known = entry.bytes.data();
  // Byte order, type, flags and version.
  if (!is_same(bytes.data(), known, 0, 4)) return nullptr;
  if (at == 0) return is_same(bytes.data(), known, wire::kFixedHeaderLength, length) ? &entry : nullptr;
  uint32_t reply_serial;
  std::memcpy(&reply_serial, bytes.data() + at, sizeof reply_serial);
  const bool is_known = reply_serial != 0 && is_same(bytes.data(), known, wire::kFixedHeaderLength, at) &&
                        is_same(bytes.data(), known, at + kSerialLength, length);
  return is_known ? &entry : nullptr;
}

void RecentHeaders::keep(std::span<const uint8_t> bytes, const wire::Frame& frame, const wire::Header& header,
                         const HeaderRow& row, uint64_t evictions) {
  if (frame.body_offset > kMaxLength || frame.swapped || header.unix_fds > 0) return;
  if (places_ == nullptr) places_ = std::make_unique<std::array<Entry, kPlaces>>();
  Entry& entry = (*places_)[place_of(frame)];
  wire::step(frame.body_offset / 8);
  entry.row = row;
  entry.evictions = evictions;
  entry.length = static_cast<uint32_t>(frame.body_offset);
  entry.fields_length = frame.fields_length;
  entry.reply_serial_at = header.reply_serial_at;
  const bool is_signed = header.signature.data() != nullptr;
  entry.signature_at = is_signed ? static_cast<uint32_t>(wire::offset_in(bytes, header.signature)) : 0;
  entry.signature_length = static_cast<uint32_t>(header.signature.size());
  std::memcpy(entry.bytes.data(), bytes.data(), frame.body_offset);
}

}  // namespace busbar::inbox
