// Compiles signatures that the grammar has found valid.
#include "wire/program.h"

#include "wire/signature.h"

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
    case 'd':
      return {Op::kFixed8, 8, 1};
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

// Short, so every byte counts: FNV-1a.
size_t hash(std::string_view signature) {
  uint32_t value = 2166136261u;
  for (const char c : signature) value = (value ^ static_cast<uint8_t>(c)) * 16777619u;
  return value ^ value >> 16;
}

}  // namespace

bool Program::compile(std::string_view signature) {
  ops_.clear();
  if (!is_valid_signature(signature)) return false;
  while (!signature.empty()) signature = compile_type(signature);
  return true;
}

std::string_view Program::compile_type(std::string_view signature) {
  const size_t start = ops_.size();
  const char code = signature[0];
  signature.remove_prefix(1);
  if (code == 'a') {
    const char element = signature[0];
    const size_t size = plain_size(element);
    ops_.push_back({size > 0 ? Op::kFixedArray : Op::kArray, static_cast<uint8_t>(alignment_of(element)), 1});
    if (size > 0) return signature.substr(1);
    signature = compile_type(signature);
  } else if (code == '(' || code == '{') {
    ops_.push_back({Op::kStruct, 8, 1});
    while (signature[0] != ')' && signature[0] != '}') signature = compile_type(signature);
    signature.remove_prefix(1);
  } else {
    ops_.push_back(op_of(code));
  }
  ops_[start].length = static_cast<uint16_t>(ops_.size() - start);
  return signature;
}

const Op* single_op(char code) {
  const Op& op = kSingleOps[static_cast<uint8_t>(code)];
  return op.length == 1 ? &op : nullptr;
}

ProgramCache::Slot* ProgramCache::find(std::string_view signature, bool& is_occupied) {
  Slot& slot = slots_[hash(signature) % kSlots];
  is_occupied = false;
  if (slot.signature == signature && !signature.empty()) return &slot;
  if (slot.runs > 0) {
    is_occupied = true;
    return nullptr;
  }
  slot.signature.clear();
  if (!slot.program.compile(signature)) return nullptr;
  slot.signature = signature;
  return &slot;
}

}  // namespace busbar::wire
