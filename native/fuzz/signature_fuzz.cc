// Signatures: the grammar, held against a second one that counts brackets instead of descending, and the
// programs that are compiled from them.
#include <string>

#include "fuzz/fuzz.h"
#include "wire/program.h"
#include "wire/signature.h"

using namespace busbar;
using namespace busbar::fuzz;

namespace {

// One container that is open.
struct Open {
  char kind;
  size_t members;
};

// The grammar as a machine with a stack; `types` counts the complete types.
bool is_valid(std::string_view signature, size_t& types) {
  std::vector<Open> open;
  // Arrays count where they follow one another directly, as libdbus counts them.
  size_t arrays = 0, structs = 0, dict_entries = 0;
  types = 0;
  if (signature.size() > 255) return false;
  // A complete type has ended: so has the array around it, and that is a type in turn.
  const auto complete = [&] {
    while (!open.empty() && open.back().kind == 'a') open.pop_back();
    if (open.empty()) {
      types++;
    } else {
      open.back().members++;
    }
  };
  for (size_t i = 0; i < signature.size(); i++) {
    const char code = signature[i];
    const bool is_key = !open.empty() && open.back().kind == '{' && open.back().members == 0;
    const bool basic = code != 0 && std::string_view("ybnqiuxtdsogh").find(code) != std::string_view::npos;
    if (is_key && !basic) return false;
    arrays = code == 'a' ? arrays + 1 : 0;
    if (arrays > 32) return false;
    if (!open.empty() && open.back().kind == '{' && open.back().members == 2 && code != '}') return false;
    if (basic || code == 'v') {
      complete();
    } else if (code == 'a') {
      open.push_back({'a', 0});
    } else if (code == '(' || (code == '{' && !open.empty() && open.back().kind == 'a')) {
      open.push_back({code, 0});
      if (++(code == '(' ? structs : dict_entries) > 32) return false;
    } else if (code == ')' || code == '}') {
      const char kind = code == ')' ? '(' : '{';
      if (open.empty() || open.back().kind != kind) return false;
      if (code == ')' ? open.back().members == 0 : open.back().members != 2) return false;
      open.pop_back();
      (code == ')' ? structs : dict_entries)--;
      complete();
    } else {
      return false;
    }
  }
  return open.empty();
}

// The ops of a type lie within those of the one around it, without gaps.
size_t check_ops(std::span<const wire::Op> ops) {
  size_t count = 0;
  for (size_t at = 0; at < ops.size(); at += ops[at].length, count++) {
    const wire::Op& op = ops[at];
    HOLDS(op.length > 0 && at + op.length <= ops.size());
    const size_t members = check_ops(ops.subspan(at + 1, op.length - size_t{1}));
    if (op.code == wire::Op::kArray) {
      HOLDS(members == 1);
    } else if (op.code == wire::Op::kStruct) {
      HOLDS(members > 0 && op.alignment == 8);
    } else if (op.code == wire::Op::kDictEntry) {
      HOLDS(members == 2 && op.alignment == 8);
    } else {
      HOLDS(members == 0);
    }
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<uint8_t> bytes = copy_of({data, size});
  const std::string_view signature(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  size_t types;
  const bool valid = is_valid(signature, types);
  const Work work;
  HOLDS(wire::is_valid_signature(signature) == valid);
  HOLDS(work.is_within(size));
  HOLDS(wire::is_single_complete_type(signature) == (valid && types == 1));
  const size_t first = wire::complete_type_length(signature);
  HOLDS(first <= size);
  if (first > 0 && first <= 255) HOLDS(wire::is_single_complete_type(signature.substr(0, first)));

  wire::ProgramMemory memory;
  const Work compiling;
  const std::span<const wire::Op> ops = wire::compile(signature, memory);
  HOLDS(compiling.is_within(size));
  HOLDS(ops.empty() == (!valid || size == 0));
  // It gets a place when it is asked for again, and not before.
  wire::ProgramCache cache;
  HOLDS(cache.find(signature) == nullptr);
  wire::ProgramCache::Slot* slot = cache.find(signature);
  HOLDS((slot != nullptr) == (valid && size > 0));
  if (slot == nullptr) return 0;
  HOLDS(check_ops(ops) == types && check_ops(slot->ops) == types);
  HOLDS(cache.find(signature) == slot);
  // While it runs it stays, and none that shares the slot gets it.
  slot->runs++;
  const std::string longer = std::string(signature) + "y";
  HOLDS(cache.find(longer) == nullptr);
  HOLDS(cache.find(longer) != slot && slot->signature == signature);
  slot->runs--;
  return 0;
}
