// Walks over the body, led by the ops of its signature.
#include "wire/validator.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "wire/cost.h"
#include "wire/header.h"
#include "wire/names.h"
#include "wire/signature.h"
#include "wire/utf8.h"
#include "wire/work.h"

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

// The order of the bytes, and whether they are changed to that of the machine.
enum class Order { kNative, kSwapped, kSwappedToStay };

template <Order kOrder>
class Walk {
  static constexpr bool kSwaps = kOrder == Order::kSwapped;
  using Byte = std::conditional_t<kSwaps, uint8_t, const uint8_t>;

 public:
  // Without `programs` all signatures are compiled where they are met.
  Walk(std::span<Byte> bytes, size_t at, Allowance allowance, ProgramCache* programs)
      : base_(bytes.data()), at_(at), end_(bytes.size()), allowance_(allowance), programs_(programs) {}

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
  uint64_t cost() const { return cost_; }
  void charge(uint64_t cost) { cost_ += cost; }
  bool is_affordable() { return cost_ <= allowance_.decoded_size || fail(Rule::kDecodedSize); }

 private:
  bool value(const Op& op, unsigned depth) {
    cost_ += kValueCosts[op.code];
    step();
    switch (op.code) {
      case Op::kFixed1:
        return take(1);
      case Op::kFixed2:
        return number<uint16_t>();
      case Op::kFixed4:
        return number<uint32_t>();
      case Op::kFixed8:
      case Op::kDouble:
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
        return fixed_array(op.alignment, false, depth);
      case Op::kDoubleArray:
        return fixed_array(op.alignment, true, depth);
      case Op::kArray:
        return array(op, depth);
      case Op::kStruct:
      case Op::kDictEntry:
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
    step(padding);
    for (size_t left = padding; left > 0; left--) {
      if (base_[at_] != 0) return fail(Rule::kBodyPadding);
      at_++;
    }
    return true;
  }

  template <typename Number>
  bool number() {
    if (!align(sizeof(Number)) || !take(sizeof(Number))) return false;
    if constexpr (kSwaps) swap_in_place<Number>(base_ + at_ - sizeof(Number));
    return true;
  }

  bool uint32(uint32_t& value) {
    if (!number<uint32_t>()) return false;
    std::memcpy(&value, base_ + at_ - 4, 4);
    if constexpr (kOrder == Order::kSwappedToStay) value = swap_bytes(value);
    return true;
  }

  bool boolean() {
    uint32_t value;
    return uint32(value) && (value <= 1 || fail(Rule::kBoolean));
  }

  bool fd() {
    uint32_t index;
    return uint32(index) && (index < allowance_.fd_count || fail(Rule::kFdIndex));
  }

  // Moves behind the text and its NUL.
  bool text(size_t length, std::string_view& text) {
    if (end_ - at_ == 0 || length > end_ - at_ - 1) return fail(Rule::kBodyBounds);
    if (base_[at_ + length] != 0) return fail(Rule::kStringEnd);
    text = {reinterpret_cast<const char*>(base_ + at_), length};
    at_ += length + 1;
    step(length);
    return true;
  }

  bool string() {
    std::string_view found;
    return string(found);
  }

  bool string(std::string_view& found) {
    uint32_t length;
    if (!uint32(length) || !text(length, found)) return false;
    bool is_ascii;
    if (is_text(reinterpret_cast<const uint8_t*>(found.data()), length, is_ascii)) {
      // One character beyond Latin-1 makes all of them take two bytes.
      if (!is_ascii) cost_ += length;
      return true;
    }
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
    ProgramCache::Slot* slot = programs_ == nullptr ? nullptr : programs_->find(type);
    if (slot == nullptr) return uncached(type, depth);
    slot->runs++;
    const bool result = one_value(slot->ops, depth);
    slot->runs--;
    return result;
  }

  [[gnu::noinline]] bool uncached(std::string_view type, unsigned depth) {
    ProgramMemory memory;
    return one_value(compile(type, memory), depth);
  }

  bool one_value(std::span<const Op> ops, unsigned depth) {
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

  bool fixed_array(size_t size, bool is_double, unsigned depth) {
    size_t length;
    if (!enter(depth) || !array_length(size, length)) return false;
    if ((length & (size - 1)) != 0) return fail(Rule::kArrayEnd);
    cost_ += number_array_cost(size, is_double, length / size);
    step(length / size);
    if constexpr (kSwaps) swap_elements(size, length);
    at_ += length;
    return is_affordable();
  }

  void swap_elements(size_t size, size_t length) {
    for (Byte *element = base_ + at_, *last = element + length; element < last; element += size) {
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
    if (!(element.code == Op::kDictEntry ? entries(element, depth) : elements(element, depth))) return false;
    end_ = end;
    return true;
  }

  bool elements(const Op& element, unsigned depth) {
    cost_ += at_ < end_ ? kArrayCost + kFirstElementCost : kArrayCost;
    while (at_ < end_) {
      if (!value(element, depth + 1) || !is_affordable()) return false;
    }
    return true;
  }

  bool entries(const Op& entry, unsigned depth) {
    const Op::Code key = (&entry)[1].code;
    const bool is_object = key == Op::kString || key == Op::kObjectPath || key == Op::kSignature;
    const uint32_t entry_cost = is_object ? kObjectEntryCost : kMapEntryCost;
    // How long an array the keys so far have made of the object.
    uint32_t indices = 0;
    cost_ += is_object ? kObjectCost : kMapCost;
    while (at_ < end_) {
      cost_ += entry_cost;
      if (!(key == Op::kString ? string_entry(entry, depth + 1, indices) : value(entry, depth + 1)))
        return false;
      if (!is_affordable()) return false;
    }
    return true;
  }

  bool string_entry(const Op& entry, unsigned depth, uint32_t& indices) {
    std::string_view key;
    cost_ += kValueCosts[Op::kString];
    step(2);
    if (!align(8) || !enter(depth) || !string(key)) return false;
    cost_ += index_cost(key, indices);
    return value((&entry)[2], depth + 1);
  }

  Byte* base_;
  size_t at_;
  size_t end_;
  Allowance allowance_;
  ProgramCache* programs_;
  uint64_t cost_ = 0;
  Rule rule_ = Rule::kNone;
};

// A walk over all of a body.
template <Order kOrder, typename Byte>
Verdict walk(std::span<const Op> ops, std::span<Byte> body, Allowance allowance, ProgramCache& programs,
             uint64_t& cost) {
  Walk<kOrder> walk(body, 0, allowance, &programs);
  walk.charge(body.size() + uint64_t{allowance.fd_count} * kFdCost);
  const bool is_sound = walk.values(ops, 0);
  cost = walk.cost();
  if (!is_sound) return walk.verdict();
  if (!walk.is_at_end()) return {Rule::kBodyEnd, walk.at()};
  return walk.is_affordable() ? Verdict{} : walk.verdict();
}

template <Order kOrder>
Verdict walk_value(std::span<const Op> ops, std::span<const uint8_t> bytes, size_t& at) {
  // The descriptors of an unknown header field are not counted.
  Walk<kOrder> walk(bytes, at, {.fd_count = UINT32_MAX}, nullptr);
  if (!walk.values(ops, 0)) return walk.verdict();
  at = walk.at();
  return {};
}

}  // namespace

Verdict Validator::validate(std::string_view signature, std::span<uint8_t> body, bool swapped,
                            Allowance allowance) {
  cost_ = 0;
  if (signature.empty()) return body.empty() ? Verdict{} : Verdict{Rule::kBodyEnd, 0};
  const auto walk_by = [&](std::span<const Op> ops) {
    if (swapped) return walk<Order::kSwapped>(ops, body, allowance, programs_, cost_);
    return walk<Order::kNative>(ops, std::span<const uint8_t>(body), allowance, programs_, cost_);
  };
  if (ProgramCache::Slot* slot = programs_.find(signature)) {
    slot->runs++;
    const Verdict verdict = walk_by(slot->ops);
    slot->runs--;
    return verdict;
  }
  ProgramMemory memory;
  const std::span<const Op> ops = compile(signature, memory);
  return ops.empty() ? Verdict{Rule::kSignature, 0} : walk_by(ops);
}

Verdict check_value(std::string_view type, std::span<const uint8_t> bytes, size_t& at, bool swapped) {
  ProgramMemory memory;
  const std::span<const Op> ops = compile(type, memory);
  if (ops.empty() || ops[0].length != ops.size()) return {Rule::kVariantType, at};
  return swapped ? walk_value<Order::kSwappedToStay>(ops, bytes, at)
                 : walk_value<Order::kNative>(ops, bytes, at);
}

}  // namespace busbar::wire
