// The signature grammar, by recursive descent with the nesting limits of libdbus, which are those of the
// buses.
#include "wire/signature.h"

#include "wire/work.h"

namespace busbar::wire {

namespace {

// How deep a type is nested. libdbus counts arrays that follow one another directly, and braces apart from
// parentheses.
struct Nesting {
  unsigned arrays = 0;
  unsigned structs = 0;
  unsigned dict_entries = 0;
};

size_t type_length(std::string_view signature, Nesting nesting);

// The length of `{kv}` at the beginning of `signature`: a basic key and any one complete type.
size_t dict_entry_length(std::string_view signature, Nesting nesting) {
  if (++nesting.dict_entries > kMaxDictEntryDepth) return 0;
  if (signature.size() < 4 || !is_basic(signature[1])) return 0;
  const size_t value = type_length(signature.substr(2), nesting);
  if (value == 0 || signature.size() <= 2 + value || signature[2 + value] != '}') return 0;
  return value + 3;
}

size_t struct_length(std::string_view signature, Nesting nesting) {
  if (++nesting.structs > kMaxStructDepth) return 0;
  size_t length = 1;
  while (length < signature.size()) {
    if (signature[length] == ')') return length > 1 ? length + 1 : 0;
    const size_t member = type_length(signature.substr(length), nesting);
    if (member == 0) return 0;
    length += member;
  }
  return 0;
}

size_t array_length(std::string_view signature, Nesting nesting) {
  if (++nesting.arrays > kMaxArrayDepth || signature.size() < 2) return 0;
  const std::string_view rest = signature.substr(1);
  if (rest[0] != 'a') nesting.arrays = 0;
  // Dictionary entries are only valid right inside an array.
  const size_t element = rest[0] == '{' ? dict_entry_length(rest, nesting) : type_length(rest, nesting);
  return element == 0 ? 0 : element + 1;
}

size_t type_length(std::string_view signature, Nesting nesting) {
  step();
  if (signature.empty()) return 0;
  const char code = signature[0];
  if (is_basic(code) || code == 'v') return 1;
  if (code == 'a') return array_length(signature, nesting);
  if (code == '(') return struct_length(signature, nesting);
  return 0;
}

}  // namespace

bool is_basic(char code) {
  return code != '\0' && std::string_view("ybnqiuxtdsogh").find(code) != std::string_view::npos;
}

size_t alignment_of(char code) {
  switch (code) {
    case 'y':
    case 'g':
    case 'v':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'b':
    case 'i':
    case 'u':
    case 'h':
    case 's':
    case 'o':
    case 'a':
      return 4;
    case 'x':
    case 't':
    case 'd':
    case '(':
    case '{':
      return 8;
    default:
      return 0;
  }
}

size_t plain_size(char code) {
  switch (code) {
    case 'y':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'i':
    case 'u':
      return 4;
    case 'x':
    case 't':
    case 'd':
      return 8;
    default:
      return 0;
  }
}

size_t complete_type_length(std::string_view signature) { return type_length(signature, {}); }

bool is_valid_signature(std::string_view signature) {
  if (signature.size() > kMaxSignatureLength) return false;
  while (!signature.empty()) {
    const size_t length = complete_type_length(signature);
    if (length == 0) return false;
    signature.remove_prefix(length);
  }
  return true;
}

bool is_single_complete_type(std::string_view signature) {
  return !signature.empty() && signature.size() <= kMaxSignatureLength &&
         complete_type_length(signature) == signature.size();
}

}  // namespace busbar::wire
