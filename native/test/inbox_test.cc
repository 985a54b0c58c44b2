// The bookkeeping of a batch.
#include "inbox/inbox.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>

#include "check.h"

using namespace busbar::inbox;
using busbar::wire::Writer;

namespace {

struct Memory {
  alignas(8) std::array<uint8_t, 64> arena{};
  std::array<int32_t, 3 * kRowLength> rows{};
  std::array<int32_t, 16 * kStringEntryLength> strings{};
  std::array<int32_t, 4> fds{};
  SpareBuffer buffer;

  InboxMemory lend() { return {arena, rows, strings, fds, &buffer}; }
};

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

}  // namespace

TEST("a string is announced with its bytes, once") {
  Memory memory;
  Inbox inbox;
  inbox.begin(memory.lend());
  CHECK(inbox.add_string("abc") == 1 && inbox.add_string("abc") == 1 && inbox.new_strings() == 1);
  CHECK(memory.strings[0] == 1 && memory.strings[1] == 0 && memory.strings[2] == 3);
  CHECK(memory.arena[0] == 'a' && memory.arena[2] == 'c');
  inbox.begin(memory.lend());
  CHECK(inbox.add_string("abc") == 1 && inbox.new_strings() == 0);
}

TEST("a string that does not fit is not learnt either") {
  Memory memory;
  Inbox inbox;
  inbox.begin(memory.lend());
  CHECK(inbox.add_string(std::string(60, 'x')).has_value());
  CHECK(!inbox.add_string("abcde").has_value());
  CHECK(inbox.new_strings() == 1);
  inbox.begin(memory.lend());
  CHECK(inbox.add_string("abcde").has_value() && inbox.new_strings() == 1);
}

TEST("bodies begin on 8-byte boundaries behind the strings") {
  Memory memory;
  Inbox inbox;
  inbox.begin(memory.lend());
  CHECK(inbox.add_string("abc").has_value());
  CHECK(inbox.body_offset() == 8 && inbox.body_space().size() == 56);
  Row row;
  row.type = 4;
  row.body_offset = 8;
  row.body_length = 5;
  inbox.commit(row);
  CHECK(inbox.body_offset() == 16 && inbox.count() == 1 && memory.rows[11] == 8 && memory.rows[12] == 5);
}

TEST("a batch is full when rows or string entries run out") {
  Memory memory;
  Inbox rows;
  rows.begin(memory.lend());
  for (int i = 0; i < 3; i++) {
    CHECK(!rows.is_full());
    rows.commit(Row{});
  }
  CHECK(rows.is_full());

  Inbox strings;
  strings.begin(memory.lend());
  for (int i = 0; i < 9; i++) {
    CHECK(!strings.is_full());
    CHECK(strings.add_string(std::to_string(i)).has_value());
  }
  CHECK(!strings.is_full());
  CHECK(strings.add_string("x").has_value() && strings.is_full());
}

TEST("a large body fills the batch") {
  Memory memory;
  Inbox inbox;
  inbox.begin(memory.lend());
  Writer writer = Writer::growing(1000);
  const std::string text(100, 'x');
  CHECK(writer.append(text.data(), text.size()));
  Row row;
  row.type = 4;
  row.body_length = 100;
  inbox.commit_large(row, std::move(writer));
  CHECK(inbox.is_full() && inbox.has_large_body() && inbox.large_body().size() == 100);
  inbox.begin(memory.lend());
  CHECK(!inbox.is_full() && !inbox.has_large_body());
}

TEST("descriptors of rows that were not taken are closed, those of taken rows are not") {
  Memory memory;
  Inbox inbox;
  inbox.begin(memory.lend());
  const int taken = dup(0), left = dup(0);
  memory.fds[0] = taken;
  memory.fds[1] = left;
  Row row;
  row.type = 4;
  row.fd_count = 1;
  inbox.commit(row);
  row.fd_offset = 1;
  inbox.commit(row);
  memory.rows[0] = 0;
  inbox.close_fds(0);
  CHECK(is_open(taken) && !is_open(left));
  close(taken);
}

TEST("rows that were overwritten close nothing beyond the batch's descriptors") {
  Memory memory;
  Inbox inbox;
  inbox.begin(memory.lend());
  Row row;
  row.type = 4;
  inbox.commit(row);
  for (const int32_t count : {1, 1000000, -1, INT32_MAX}) {
    memory.rows[14] = count;
    inbox.close_fds(0);
  }
  CHECK(is_open(0));
}
