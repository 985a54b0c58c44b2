// The signature grammar and its limits.
#include "wire/signature.h"

#include <string>

#include "check.h"

using namespace busbar::wire;

namespace {

std::string times(size_t count, const char* text) {
  std::string result;
  while (count-- > 0) result += text;
  return result;
}

}  // namespace

TEST("every basic type is one complete type") {
  for (const char code : std::string("ybnqiuxtdsogh")) CHECK(is_single_complete_type(std::string(1, code)));
}

TEST("containers are complete types") {
  for (const char* type : {"v", "ai", "a{sv}", "(i)", "a(ii)", "a{s(ia{sv})}", "aaas", "(a{ys}v)"}) {
    CHECK(is_single_complete_type(type));
  }
}

TEST("the empty signature is valid, and no type") {
  CHECK(is_valid_signature(""));
  CHECK(!is_single_complete_type(""));
}

TEST("several types are a signature, but not one type") {
  CHECK(is_valid_signature("sa{sv}as"));
  CHECK(!is_single_complete_type("ss"));
  CHECK(complete_type_length("a{sv}as") == 5);
}

TEST("signatures that violate the grammar are refused") {
  for (const char* type :
       {"a", "(", ")", "()", "{sv}", "a{s}", "a{ssv}", "a{vs}", "a{(i)s}", "a{sv", "(i", "aa", "z",
        "r", "e", "m", "i)", "a{}",  "(a)",  "a{aiv}", "*",     "?",       "@",    "&",  "^"}) {
    CHECK(!is_valid_signature(type));
  }
  CHECK(!is_valid_signature(std::string_view("i\0i", 3)));
}

TEST("a signature has at most 255 bytes") {
  CHECK(is_valid_signature(times(255, "y")));
  CHECK(!is_valid_signature(times(256, "y")));
}

TEST("arrays nest 32 deep and structs 32 deep") {
  CHECK(is_valid_signature(times(32, "a") + "y"));
  CHECK(!is_valid_signature(times(33, "a") + "y"));
  CHECK(is_valid_signature(times(32, "(") + "y" + times(32, ")")));
  CHECK(!is_valid_signature(times(33, "(") + "y" + times(33, ")")));
  CHECK(is_valid_signature(times(32, "a") + times(32, "(") + "y" + times(32, ")")));
}

TEST("arrays count in a row, and braces apart from parentheses, as libdbus counts them") {
  CHECK(is_valid_signature("a{s" + times(32, "(") + "y" + times(32, ")") + "}"));
  CHECK(is_valid_signature(times(32, "a{s") + times(32, "(") + "y" + times(32, ")") + times(32, "}")));
  CHECK(!is_valid_signature(times(33, "a{s") + "y" + times(33, "}")));
  CHECK(is_valid_signature(times(20, "a(") + "aay" + times(20, ")")));
  CHECK(is_valid_signature(times(17, "aa{s") + "y" + times(17, "}")));
  CHECK(is_valid_signature("(" + times(32, "a") + "y" + times(32, "a") + "y)"));
  CHECK(!is_valid_signature("(y" + times(33, "a") + "y)"));
}

TEST("only types of which every bit pattern is valid are plain") {
  CHECK(plain_size('y') == 1 && plain_size('n') == 2 && plain_size('u') == 4 && plain_size('d') == 8);
  CHECK(plain_size('b') == 0 && plain_size('h') == 0 && plain_size('s') == 0 && plain_size('(') == 0);
}
