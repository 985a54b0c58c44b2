// Bounds, padding and growth of the cursors over marshalled bytes.
#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "wire/reader.h"
#include "wire/writer.h"

using namespace busbar::wire;

TEST("a reader takes numbers in either byte order") {
  const std::vector<uint8_t> bytes = {1, 2, 3, 4};
  uint32_t value;
  CHECK(Reader(bytes).uint32(value) && value == 0x04030201);
  CHECK(Reader(bytes, true).uint32(value) && value == 0x01020304);
}

TEST("a reader refuses padding that is not zero") {
  const std::vector<uint8_t> zero = {9, 0, 0, 0, 5, 0, 0, 0}, other = {9, 0, 1, 0, 5, 0, 0, 0};
  uint8_t byte;
  uint32_t value;
  Reader good(zero), bad(other);
  CHECK(good.byte(byte) && good.uint32(value) && value == 5 && good.left() == 0);
  CHECK(bad.byte(byte) && !bad.uint32(value));
}

TEST("a reader never passes the end") {
  const std::vector<uint8_t> bytes = {1, 2, 3};
  uint32_t value;
  const uint8_t* at;
  CHECK(!Reader(bytes).uint32(value));
  CHECK(!Reader(bytes).take(4, at));
  Reader empty(std::span<const uint8_t>{});
  std::string_view text;
  CHECK(empty.align(8));
  CHECK(!empty.signature(text));
}

TEST("a string of the greatest length is refused without overflow") {
  const std::vector<uint8_t> bytes = {0xff, 0xff, 0xff, 0xff, 'a', 0};
  std::string_view text;
  CHECK(!Reader(bytes).string(text));
}

TEST("a string ends with a NUL and holds no other") {
  const std::vector<uint8_t> good = {2, 0, 0, 0, 'a', 'b', 0}, open = {2, 0, 0, 0, 'a', 'b', 'c'},
                             inner = {2, 0, 0, 0, 'a', 0, 0};
  std::string_view text;
  CHECK(Reader(good).string(text) && text == "ab");
  CHECK(!Reader(open).string(text));
  CHECK(!Reader(inner).string(text));
}

TEST("a writer stops at the end of lent memory") {
  uint8_t memory[8];
  Writer writer(memory);
  CHECK(writer.append("ab", 2) && writer.uint32(7) && writer.size() == 8);
  CHECK(!writer.append("c", 1) && writer.state() == Writer::State::kFull);
}

TEST("a writer pads with zeros") {
  uint8_t memory[8];
  std::memset(memory, 0xee, sizeof memory);
  Writer writer(memory);
  CHECK(writer.append("a", 1) && writer.align(8) && writer.size() == 8);
  for (size_t i = 1; i < 8; i++) CHECK(memory[i] == 0);
}

TEST("a growing writer keeps what was written, up to its limit") {
  Writer writer = Writer::growing(100000);
  const std::string text(1000, 'x');
  for (int i = 0; i < 100; i++) CHECK(writer.append(text.data(), text.size()));
  CHECK(writer.size() == 100000 && writer.bytes()[99999] == 'x');
  CHECK(!writer.append("y", 1) && writer.state() == Writer::State::kFull);
}

TEST("a moved writer has the memory, and the other has none") {
  Writer writer = Writer::growing(1000);
  CHECK(writer.append("abc", 3));
  const Writer moved = std::move(writer);
  CHECK(moved.size() == 3 && moved.bytes()[2] == 'c');
}
