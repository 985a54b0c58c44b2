// The headers that came last, and the rows that they became. Most messages have a header that came before:
// the replies of a service, the calls of a client and the signals of an object differ in their serials alone.
// What was read and checked of the same bytes holds again, so such a message costs one comparison.
//
// Only headers that break no rule are kept. An id of a row means the same string until the interner evicts
// one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "wire/header.h"

namespace busbar::inbox {

// The part of a row that the header determines, without serials.
struct HeaderRow {
  int32_t type = 0;
  int32_t flags = 0;
  // Path, interface, member, error name, destination, sender, signature.
  std::array<int32_t, 7> ids{};
};

class RecentHeaders {
 public:
  // Longer headers are not kept.
  static constexpr size_t kMaxLength = 256;

  struct Entry {
    HeaderRow row;
    // The `evictions` of the interner when it was kept.
    uint64_t evictions = 0;
    // Bytes with padding, and the length that the header states; 0 for a free place.
    uint32_t length = 0;
    uint32_t fields_length = 0;
    // Where the serial is that a reply answers; 0 if there is none.
    uint32_t reply_serial_at = 0;
    // Where the signature is.
    uint32_t signature_at = 0, signature_length = 0;
    std::array<uint8_t, kMaxLength> bytes;
  };

  // The entry with this header; null if there is none. Numbers are to be in the order of this machine, and
  // there is a body only if there is a signature.
  const Entry* find(std::span<const uint8_t> bytes, const wire::Frame& frame, uint64_t evictions) const;
  // Keeps a header that breaks no rule and has no descriptors, if it is short enough.
  void keep(std::span<const uint8_t> bytes, const wire::Frame& frame, const wire::Header& header,
            const HeaderRow& row, uint64_t evictions);

 private:
  static constexpr size_t kPlaces = 4;
  // Headers of different kinds mostly have different lengths.
  static size_t place_of(const wire::Frame& frame) { return frame.body_offset / 8 % kPlaces; }

  // Made with the first header: idle connections need none.
  std::unique_ptr<std::array<Entry, kPlaces>> places_;
};

}  // namespace busbar::inbox
