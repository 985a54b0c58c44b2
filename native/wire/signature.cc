// The signature grammar, by recursive descent with the specification's nesting limits.
#include "wire/signature.h"

namespace busbar::wire {

namespace {

size_t type_length(std::string_view signature, unsigned arrays, unsigned structs);

// The length of `{kv}` at the beginning of `signature`: a basic key and any one complete type.
size_t dict_entry_length(std::string_view signature, unsigned arrays, unsigned structs) {
  if (signature.size() < 4 || structs > kMaxStructDepth || !is_basic(signature[1])) return 0;
  const size_t value = type_length(signature.substr(2), arrays, structs);
  if (value == 0 || signature.size() <= 2 + value || signature[2 + value] != '}') return 0;
  return value + 3;
}

size_t struct_length(std::string_view signature, unsigned arrays, unsigned structs) {
  if (structs > kMaxStructDepth) return 0;
  size_t length = 1;
  while (length < signature.size()) {
    if (signature[length] == ')') return length > 1 ? length + 1 : 0;
    const size_t member = type_length(signature.substr(length), arrays, structs);
    if (member == 0) return 0;
    length += member;
  }
  return 0;
}

size_t array_length(std::string_view signature, unsigned arrays, unsigned structs) {
  if (arrays > kMaxArrayDepth || signature.size() < 2) return 0;
  // Dictionary entries are only valid right inside an array; they count as structs do (as in libdbus and
  // sd-bus).
  const std::string_view rest = signature.substr(1);
  const size_t element =
      rest[0] == '{' ? dict_entry_length(rest, arrays, structs + 1) : type_length(rest, arrays, structs);
  return element == 0 ? 0 : element + 1;
}

size_t type_length(std::string_view signature, unsigned arrays, unsigned structs) {
  if (signature.empty()) return 0;
  const char code = signature[0];
  if (is_basic(code) || code == 'v') return 1;
  if (code == 'a') return array_length(signature, arrays + 1, structs);
  if (code == '(') return struct_length(signature, arrays, structs + 1);
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

size_t complete_type_length(std::string_view signature) { return type_length(signature, 0, 0); }

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
