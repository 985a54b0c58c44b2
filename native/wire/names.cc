// Checks each name in one pass, by classes of characters.
#include "wire/names.h"

#include <array>

#include "wire/signature.h"
#include "wire/work.h"

namespace busbar::wire {

namespace {

enum Class : uint8_t { kOther, kLetter, kDigit, kHyphen };

constexpr std::array<Class, 256> kClasses = [] {
  std::array<Class, 256> classes{};
  for (size_t c = 'a'; c <= 'z'; c++) classes[c] = kLetter;
  for (size_t c = 'A'; c <= 'Z'; c++) classes[c] = kLetter;
  for (size_t c = '0'; c <= '9'; c++) classes[c] = kDigit;
  classes['_'] = kLetter;
  classes['-'] = kHyphen;
  return classes;
}();

Class class_of(char c) { return kClasses[static_cast<uint8_t>(c)]; }

struct ElementRules {
  bool leading_digits;
  bool hyphens;
};

// Two elements or more, separated by dots.
bool is_dotted_name(std::string_view text, ElementRules rules) {
  size_t dots = 0;
  bool at_start = true;
  for (const char c : text) {
    if (c == '.') {
      if (at_start) return false;
      dots++;
      at_start = true;
      continue;
    }
    const Class found = class_of(c);
    if (found == kOther || (found == kHyphen && !rules.hyphens)) return false;
    if (found == kDigit && at_start && !rules.leading_digits) return false;
    at_start = false;
  }
  return dots > 0 && !at_start;
}

}  // namespace

bool is_object_path(std::string_view text) {
  if (text.empty() || text[0] != '/') return false;
  if (text.size() == 1) return true;
  char previous = '/';
  for (const char c : text.substr(1)) {
    if (c == '/') {
      if (previous == '/') return false;
    } else if (class_of(c) != kLetter && class_of(c) != kDigit) {
      return false;
    }
    previous = c;
  }
  return previous != '/';
}

bool is_interface_name(std::string_view text) {
  return text.size() <= kMaxNameLength && is_dotted_name(text, {.leading_digits = false, .hyphens = false});
}

bool is_member_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameLength || class_of(text[0]) != kLetter) return false;
  for (const char c : text) {
    if (class_of(c) != kLetter && class_of(c) != kDigit) return false;
  }
  return true;
}

bool is_bus_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameLength) return false;
  if (text[0] == ':') return is_dotted_name(text.substr(1), {.leading_digits = true, .hyphens = true});
  return is_dotted_name(text, {.leading_digits = false, .hyphens = true});
}

Rule check_name(Name name, std::string_view text) {
  step(text.size());
  switch (name) {
    case Name::kPath:
      if (!is_object_path(text)) return Rule::kPath;
      return text == "/org/freedesktop/DBus/Local" ? Rule::kLocal : Rule::kNone;
    case Name::kInterface:
      if (!is_interface_name(text)) return Rule::kInterface;
      return text == "org.freedesktop.DBus.Local" ? Rule::kLocal : Rule::kNone;
    case Name::kMember:
      return is_member_name(text) ? Rule::kNone : Rule::kMember;
    case Name::kErrorName:
      return is_interface_name(text) ? Rule::kNone : Rule::kErrorName;
    case Name::kDestination:
      return is_bus_name(text) ? Rule::kNone : Rule::kDestination;
    case Name::kSender:
      return is_bus_name(text) ? Rule::kNone : Rule::kSender;
    case Name::kSignature:
      return is_valid_signature(text) ? Rule::kNone : Rule::kSignature;
  }
  return Rule::kNone;
}

}  // namespace busbar::wire
