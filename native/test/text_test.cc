// Strict UTF-8, and the grammar of names.
#include <string>

#include "check.h"
#include "wire/names.h"
#include "wire/utf8.h"

using namespace busbar::wire;

namespace {

bool is_text_at(const std::string& text, size_t before, size_t after) {
  const std::string whole = std::string(before, 'a') + text + std::string(after, 'z');
  const std::vector<uint8_t> bytes(whole.begin(), whole.end());
  return is_text(bytes.data(), bytes.size());
}

// At every place of a word, at the end and in the middle.
bool is_text_anywhere(const std::string& text) {
  const bool first = is_text_at(text, 0, 0);
  for (size_t before = 0; before < 20; before++) {
    for (const size_t after : {0u, 1u, 7u, 8u, 20u}) CHECK(is_text_at(text, before, after) == first);
  }
  return first;
}

// The encoding of a code point, without asking whether it has one.
std::string encode(uint32_t point) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3f)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0 | point >> 6), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xe0 | point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | point >> 18), tail(12), tail(6), tail(0)};
}

}  // namespace

TEST("every code point but NUL and the surrogates is text") {
  for (uint32_t point = 1; point < 0x120000; point++) {
    const bool expected = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    if (is_text_at(encode(point), 5, 9) != expected) {
      CHECK(!"a code point is judged wrongly");
      return;
    }
  }
}

TEST("noncharacters are text") {
  for (const uint32_t point : {0xfffeu, 0xffffu, 0xfdd0u, 0x1ffffu}) CHECK(is_text_anywhere(encode(point)));
}

TEST("invalid UTF-8 is refused at any position") {
  for (const char* text : {"\xff", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80",
                           "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80",
                           "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3(", "\xe2(\xa1", "\xe2\x82("}) {
    CHECK(!is_text_anywhere(text));
  }
  CHECK(!is_text_anywhere(std::string(1, '\0')));
  CHECK(is_text_anywhere(""));
}

TEST("names are what the specification calls names") {
  const std::string longest(255, 'a'), too_long(256, 'a');
  for (const char* path : {"/", "/a", "/a/b_C/0"}) CHECK(is_object_path(path));
  for (const char* path : {"", "a", "//", "/a/", "/a//b", "/a-b", "/a.b"}) CHECK(!is_object_path(path));
  CHECK(is_object_path("/" + std::string(100000, 'p')));
  for (const char* name : {"a.b", "org.example.A_1", "_a._b"}) CHECK(is_interface_name(name));
  for (const char* name : {"", "a", ".a.b", "a..b", "a.b.", "a.1b", "1a.b", "a-b.c", "a.b\xc3\xa4"}) {
    CHECK(!is_interface_name(name));
  }
  CHECK(is_interface_name("a." + longest.substr(2)) && !is_interface_name("a." + too_long.substr(2)));
  for (const char* name : {"a", "Get", "_1"}) CHECK(is_member_name(name));
  for (const char* name : {"", "1a", "a.b", "a-b"}) CHECK(!is_member_name(name));
  CHECK(is_member_name(longest) && !is_member_name(too_long));
  for (const char* name : {":1.0", ":1.a-b", "a.b", "a-b.c", "org.example.A"}) CHECK(is_bus_name(name));
  for (const char* name : {"", ":", ":1", ":1.", "a", "1a.b", "a.1b", "a..b", ".a.b"})
    CHECK(!is_bus_name(name));
}

TEST("names that are reserved for local messages are not accepted") {
  CHECK(check_name(Name::kPath, "/org/freedesktop/DBus/Local") == Rule::kLocal);
  CHECK(check_name(Name::kInterface, "org.freedesktop.DBus.Local") == Rule::kLocal);
  CHECK(check_name(Name::kPath, "/org/freedesktop/DBus") == Rule::kNone);
}
