// Compiles signatures that are valid by the grammar, and caches the programs of those that repeat.
#include "wire/program.h"

#include "wire/signature.h"
#include "wire/work.h"

namespace busbar::wire {

namespace {

constexpr Op op_of(char code) {
  switch (code) {
    case 'y':
      return {Op::kFixed1, 1, 1};
    case 'n':
    case 'q':
      return {Op::kFixed2, 2, 1};
    case 'i':
    case 'u':
      return {Op::kFixed4, 4, 1};
    case 'x':
    case 't':
      return {Op::kFixed8, 8, 1};
    case 'd':
      return {Op::kDouble, 8, 1};
    case 'b':
      return {Op::kBoolean, 4, 1};
    case 'h':
      return {Op::kFd, 4, 1};
    case 's':
      return {Op::kString, 4, 1};
    case 'o':
      return {Op::kObjectPath, 4, 1};
    case 'g':
      return {Op::kSignature, 1, 1};
    case 'v':
      return {Op::kVariant, 1, 1};
    default:
      return {Op::kStruct, 8, 0};
  }
}

constexpr std::array<Op, 256> kSingleOps = [] {
  std::array<Op, 256> ops{};
  for (size_t code = 0; code < 256; code++) ops[code] = op_of(static_cast<char>(code));
  return ops;
}();

// Signatures are short, so every byte counts: FNV-1a. A peer that finds two with the same hash wins nothing:
// a signature without a place costs its bytes.
uint32_t hash(std::string_view signature) {
  step(signature.size());
  uint32_t value = 2166136261u;
  for (const char c : signature) value = (value ^ static_cast<uint8_t>(c)) * 16777619u;
  return value ^ value >> 16;
}

// Writes the ops of the type that `signature` begins with, and returns what is left. The signature is valid.
std::string_view compile_type(std::string_view signature, Op*& end) {
  step();
  Op* const op = end++;
  const char code = signature[0];
  signature.remove_prefix(1);
  if (code == 'a') {
    const char element = signature[0];
    const size_t size = plain_size(element);
    const Op::Code array = size == 0 ? Op::kArray : element == 'd' ? Op::kDoubleArray : Op::kFixedArray;
    *op = {array, static_cast<uint8_t>(alignment_of(element)), 1};
    if (size > 0) return signature.substr(1);
    signature = compile_type(signature, end);
  } else if (code == '(' || code == '{') {
    *op = {code == '(' ? Op::kStruct : Op::kDictEntry, 8, 1};
    while (signature[0] != ')' && signature[0] != '}') signature = compile_type(signature, end);
    signature.remove_prefix(1);
  } else {
    *op = op_of(code);
  }
  op->length = static_cast<uint16_t>(end - op);
  return signature;
}

}  // namespace

std::span<const Op> compile(std::string_view signature, ProgramMemory& memory) {
  if (!is_valid_signature(signature)) return {};
  Op* end = memory.data();
  while (!signature.empty()) signature = compile_type(signature, end);
  return {memory.data(), end};
}

const Op* single_op(char code) {
  const Op& op = kSingleOps[static_cast<uint8_t>(code)];
  return op.length == 1 ? &op : nullptr;
}

ProgramCache::Slot* ProgramCache::find(std::string_view signature) {
  const uint32_t key = hash(signature);
  Slot& slot = slots_[key % kSlots];
  if (slot.signature == signature && !signature.empty()) return &slot;
  if (slot.candidate != key || slot.runs > 0) {
    slot.candidate = key;
    return nullptr;
  }
  ProgramMemory memory;
  const std::span<const Op> ops = compile(signature, memory);
  if (ops.empty()) return nullptr;
  slot.signature = signature;
  slot.ops.assign(ops.begin(), ops.end());
  return &slot;
}

}  // namespace busbar::wire
