// The grammar of type signatures (D-Bus specification, "Type System").
//
// A signature is a sequence of complete types. Nothing here allocates; results are views into the argument.
#pragma once

#include <cstddef>
#include <string_view>

namespace busbar::wire {

// Limits of the specification, section "Valid Signatures" and "Variant" (total depth), counted as libdbus
// does
// (`_dbus_validate_signature_with_reason`): arrays that follow one another directly, parentheses and braces
// within one another. What is stricter refuses messages that buses forward. The total depth of 64 is a rule
// of values: a signature may be deeper, and then only empty arrays fit it.
inline constexpr size_t kMaxSignatureLength = 255;
inline constexpr unsigned kMaxArrayDepth = 32;
inline constexpr unsigned kMaxStructDepth = 32;
inline constexpr unsigned kMaxDictEntryDepth = 32;
inline constexpr unsigned kMaxTotalDepth = 64;

// Whether `code` is one of the basic types (fixed or string-like).
bool is_basic(char code);

// The alignment of a type by its first code; 0 for a character that is not a type code.
size_t alignment_of(char code);

// The size of an element for types whose arrays are plain memory: every bit pattern is a valid value.
// Excludes booleans, of which only 0 and 1 are valid, and descriptors, which are indices. 0 for all others.
size_t plain_size(char code);

// The length of the complete type that `signature` begins with; 0 if there is none or it breaks a rule.
size_t complete_type_length(std::string_view signature);

// Whether `signature` is zero or more complete types and not too long.
bool is_valid_signature(std::string_view signature);

// Whether `signature` is exactly one complete type.
bool is_single_complete_type(std::string_view signature);

}  // namespace busbar::wire
