// A walk over the body, led by the ops of its signature.
#include "wire/validator.h"

#include <cstring>
#include <utility>

#include "wire/header.h"
#include "wire/names.h"
#include "wire/signature.h"
#include "wire/utf8.h"

namespace busbar::wire {

namespace {

template <typename Number>
Number swap_bytes(Number value) {
  if constexpr (sizeof(Number) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(Number) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(Number) == 8) return __builtin_bswap64(value);
}

template <typename Number>
void swap_in_place(uint8_t* at) {
  Number value;
  std::memcpy(&value, at, sizeof value);
  value = swap_bytes(value);
  std::memcpy(at, &value, sizeof value);
}

template <bool kSwapped>
class Walk {
 public:
  Walk(std::span<uint8_t> bytes, size_t at, uint32_t fd_count, ProgramCache& programs)
      : base_(bytes.data()), at_(at), end_(bytes.size()), fd_count_(fd_count), programs_(programs) {}

  // False when a rule is broken: `verdict` tells which.
  bool values(std::span<const Op> ops, unsigned depth) {
    for (const Op *op = ops.data(), *last = op + ops.size(); op < last; op += op->length) {
      if (!value(*op, depth)) return false;
    }
    return true;
  }

  bool is_at_end() const { return at_ == end_; }
  size_t at() const { return at_; }
  Verdict verdict() const { return {rule_, at_}; }

 private:
  bool value(const Op& op, unsigned depth) {
    switch (op.code) {
      case Op::kFixed1:
        return take(1);
      case Op::kFixed2:
        return number<uint16_t>();
      case Op::kFixed4:
        return number<uint32_t>();
      case Op::kFixed8:
        return number<uint64_t>();
      case Op::kBoolean:
        return boolean();
      case Op::kFd:
        return fd();
      case Op::kString:
        return string();
      case Op::kObjectPath:
        return object_path();
      case Op::kSignature:
        return signature();
      case Op::kVariant:
        return variant(depth);
      case Op::kFixedArray:
        return fixed_array(op.alignment, depth);
      case Op::kArray:
        return array(op, depth);
      case Op::kStruct:
        return align(8) && enter(depth) && values(members(op), depth + 1);
    }
    return false;
  }

  static std::span<const Op> members(const Op& op) { return {&op + 1, op.length - size_t{1}}; }

  bool fail(Rule rule) {
    rule_ = rule;
    return false;
  }

  bool enter(unsigned depth) { return depth < kMaxTotalDepth || fail(Rule::kDepth); }

  bool take(size_t length) {
    if (length > end_ - at_) return fail(Rule::kBodyBounds);
    at_ += length;
    return true;
  }

  bool align(size_t alignment) {
    const size_t padding = (0 - at_) & (alignment - 1);
    if (padding > end_ - at_) return fail(Rule::kBodyBounds);
    for (size_t left = padding; left > 0; left--) {
      if (base_[at_] != 0) return fail(Rule::kBodyPadding);
      at_++;
    }
    return true;
  }

  template <typename Number>
  bool number() {
    if (!align(sizeof(Number)) || !take(sizeof(Number))) return false;
    if constexpr (kSwapped) swap_in_place<Number>(base_ + at_ - sizeof(Number));
    return true;
  }

  bool uint32(uint32_t& value) {
    if (!number<uint32_t>()) return false;
    std::memcpy(&value, base_ + at_ - 4, 4);
    return true;
  }

  bool boolean() {
    uint32_t value;
    return uint32(value) && (value <= 1 || fail(Rule::kBoolean));
  }

  bool fd() {
    uint32_t index;
    return uint32(index) && (index < fd_count_ || fail(Rule::kFdIndex));
  }

  // Moves behind the text and its NUL.
  bool text(size_t length, std::string_view& text) {
    if (end_ - at_ == 0 || length > end_ - at_ - 1) return fail(Rule::kBodyBounds);
    if (base_[at_ + length] != 0) return fail(Rule::kStringEnd);
    text = {reinterpret_cast<const char*>(base_ + at_), length};
    at_ += length + 1;
    return true;
  }

  bool string() {
    uint32_t length;
    std::string_view found;
    if (!uint32(length) || !text(length, found)) return false;
    if (is_text(reinterpret_cast<const uint8_t*>(found.data()), length)) return true;
    return fail(found.find('\0') == std::string_view::npos ? Rule::kUtf8 : Rule::kEmbeddedNul);
  }

  bool object_path() {
    uint32_t length;
    std::string_view found;
    if (!uint32(length) || !text(length, found)) return false;
    return is_object_path(found) || fail(Rule::kObjectPathValue);
  }

  // Of up to 255 bytes, and so with a length of one.
  bool short_text(std::string_view& found) {
    if (!take(1)) return false;
    return text(base_[at_ - 1], found);
  }

  bool signature() {
    std::string_view found;
    if (!short_text(found)) return false;
    return is_valid_signature(found) || fail(Rule::kSignatureValue);
  }

  bool variant(unsigned depth) {
    std::string_view type;
    if (!enter(depth) || !short_text(type)) return false;
    if (type.size() == 1) {
      const Op* op = single_op(type[0]);
      return op != nullptr ? value(*op, depth + 1) : fail(Rule::kVariantType);
    }
    return container_in_variant(type, depth);
  }

  bool container_in_variant(std::string_view type, unsigned depth) {
    bool is_occupied;
    ProgramCache::Slot* slot = programs_.find(type, is_occupied);
    if (is_occupied) return uncached(type, depth);
    if (slot == nullptr) return fail(Rule::kVariantType);
    slot->runs++;
    const bool result = one_value(slot->program, depth);
    slot->runs--;
    return result;
  }

  [[gnu::noinline]] bool uncached(std::string_view type, unsigned depth) {
    Program program;
    return program.compile(type) ? one_value(program, depth) : fail(Rule::kVariantType);
  }

  bool one_value(const Program& program, unsigned depth) {
    const std::span<const Op> ops = program.ops();
    if (ops.empty() || ops[0].length != ops.size()) return fail(Rule::kVariantType);
    return value(ops[0], depth + 1);
  }

  // The length of an array, and the padding in front of its elements, which the length does not include.
  bool array_length(size_t alignment, size_t& length) {
    uint32_t value;
    if (!uint32(value)) return false;
    if (value > kMaxArrayLength) return fail(Rule::kArrayLength);
    length = value;
    return align(alignment) && (length <= end_ - at_ || fail(Rule::kBodyBounds));
  }

  bool fixed_array(size_t size, unsigned depth) {
    size_t length;
    if (!enter(depth) || !array_length(size, length)) return false;
    if ((length & (size - 1)) != 0) return fail(Rule::kArrayEnd);
    if constexpr (kSwapped) swap_elements(size, length);
    at_ += length;
    return true;
  }

  void swap_elements(size_t size, size_t length) {
    for (uint8_t *element = base_ + at_, *last = element + length; element < last; element += size) {
      if (size == 2) swap_in_place<uint16_t>(element);
      if (size == 4) swap_in_place<uint32_t>(element);
      if (size == 8) swap_in_place<uint64_t>(element);
    }
  }

  bool array(const Op& op, unsigned depth) {
    size_t length;
    if (!enter(depth) || !array_length(op.alignment, length)) return false;
    // No element may reach beyond the array.
    const size_t end = std::exchange(end_, at_ + length);
    const Op& element = (&op)[1];
    while (at_ < end_) {
      if (!value(element, depth + 1)) return false;
    }
    end_ = end;
    return true;
  }

  uint8_t* base_;
  size_t at_;
  size_t end_;
  uint32_t fd_count_;
  ProgramCache& programs_;
  Rule rule_ = Rule::kNone;
};

template <bool kSwapped>
Verdict walk(std::span<const Op> ops, std::span<uint8_t> body, uint32_t fd_count, ProgramCache& programs) {
  Walk<kSwapped> walk(body, 0, fd_count, programs);
  if (!walk.values(ops, 0)) return walk.verdict();
  return walk.is_at_end() ? Verdict{} : Verdict{Rule::kBodyEnd, walk.at()};
}

template <bool kSwapped>
Verdict walk_value(std::span<const Op> ops, std::span<uint8_t> bytes, size_t& at, ProgramCache& programs) {
  // Nobody counts the descriptors of an unknown header field.
  Walk<kSwapped> walk(bytes, at, UINT32_MAX, programs);
  if (!walk.values(ops, 0)) return walk.verdict();
  at = walk.at();
  return {};
}

}  // namespace

Verdict Validator::validate(std::string_view signature, std::span<uint8_t> body, bool swapped,
                            uint32_t fd_count) {
  if (signature.empty()) return body.empty() ? Verdict{} : Verdict{Rule::kBodyEnd, 0};
  bool is_occupied;
  // Nothing runs yet, so no slot is occupied.
  ProgramCache::Slot* slot = programs_.find(signature, is_occupied);
  if (slot == nullptr) return {Rule::kSignature, 0};
  slot->runs++;
  const std::span<const Op> ops = slot->program.ops();
  const Verdict verdict =
      swapped ? walk<true>(ops, body, fd_count, programs_) : walk<false>(ops, body, fd_count, programs_);
  slot->runs--;
  return verdict;
}

Verdict Validator::validate_value(std::string_view type, std::span<uint8_t> bytes, size_t& at, bool swapped) {
  Program program;
  if (!is_single_complete_type(type) || !program.compile(type)) return {Rule::kVariantType, at};
  return swapped ? walk_value<true>(program.ops(), bytes, at, programs_)
                 : walk_value<false>(program.ops(), bytes, at, programs_);
}

}  // namespace busbar::wire
