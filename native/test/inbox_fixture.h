// An inbox, and the memory that JavaScript would lend it.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "inbox/inbox.h"

namespace busbar::test {

struct InboxSizes {
  size_t arena = 65536;
  size_t rows = 64;
  size_t strings = 512;
  size_t fds = 1024;
};

struct InboxFixture {
  explicit InboxFixture(InboxSizes sizes = {}, inbox::Limits limits = {})
      : arena(sizes.arena),
        rows(sizes.rows * inbox::kRowLength),
        strings(sizes.strings * inbox::kStringEntryLength),
        fds(sizes.fds),
        inbox(limits) {
    begin_batch();
  }

  // Begins another batch.
  void begin_batch() { inbox.begin({arena, rows, strings, fds, &buffer}); }

  inbox::Row row(size_t index) const {
    inbox::Row row;
    std::memcpy(static_cast<void*>(&row), rows.data() + index * inbox::kRowLength, sizeof row);
    return row;
  }
  std::vector<uint8_t> body(const inbox::Row& row) const {
    if (inbox.has_large_body()) return {inbox.large_body().begin(), inbox.large_body().end()};
    const auto begin = arena.begin() + row.body_offset;
    return {begin, begin + row.body_length};
  }

  std::vector<uint8_t> arena;
  std::vector<int32_t> rows, strings, fds;
  inbox::SpareBuffer buffer;
  inbox::Inbox inbox;
};

}  // namespace busbar::test
