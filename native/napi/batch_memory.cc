// Checks the memory that JavaScript makes, leases it, and frees what is seldom needed.
#include "napi/batch_memory.h"

#include <utility>

namespace busbar {

namespace {

// Enough for the strings of any header but for its path, and for some body.
constexpr size_t kMinimalArena = 4096;
// The number of memories that are kept for further batches. More than one is leased only while a batch takes
// more than one turn.
constexpr size_t kMaxFree = 2;
// The largest buffer that is kept for the next large body: enough for an array of 1 MiB with a few other
// values.
constexpr size_t kKeptLength = size_t{1024 + 64} * 1024;

bool refuse(napi_env env, const char* text) {
  napi_throw_type_error(env, nullptr, text);
  return false;
}

bool read_integers(napi_env env, napi_value object, const char* name, size_t minimum, Reference& buffer,
                   std::span<int32_t>& integers) {
  napi_value value;
  bool is_array = false;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array ||
      napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array) {
    return refuse(env, "rows, strings and fds must be Int32Arrays");
  }
  if (length < minimum) return refuse(env, "rows, strings and fds must have room for one message");
  integers = {static_cast<int32_t*>(data), length};
  buffer = Reference(env, value);
  return true;
}

bool read_arena(napi_env env, napi_value object, Reference& buffer, std::span<uint8_t>& arena) {
  napi_value value;
  bool is_buffer = false;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_named_property(env, object, "arena", &value) != napi_ok ||
      napi_is_arraybuffer(env, value, &is_buffer) != napi_ok || !is_buffer ||
      napi_get_arraybuffer_info(env, value, &data, &length) != napi_ok) {
    return refuse(env, "arena must be an ArrayBuffer");
  }
  // The seam's offsets are 32-bit integers.
  if (length < kMinimalArena || length > INT32_MAX) return refuse(env, "arena must have 4 KiB to 2 GiB");
  arena = {static_cast<uint8_t*>(data), length};
  buffer = Reference(env, value);
  return true;
}

// Whether JavaScript can still be called. Where it is being terminated, Node-API ends the process if a buffer
// is detached. No JavaScript runs between this call and that one, so the answer holds.
bool is_running(napi_env env) {
  napi_value object, value;
  if (napi_create_object(env, &object) == napi_ok && napi_get_undefined(env, &value) == napi_ok &&
      napi_set_named_property(env, object, "probe", value) == napi_ok)
    return true;
  napi_get_and_clear_last_exception(env, &value);
  return false;
}

void free_buffer(napi_env env, napi_value view) {
  napi_value buffer = view;
  bool is_view = false;
  if (view == nullptr) return;
  napi_is_typedarray(env, view, &is_view);
  if (is_view && napi_get_typedarray_info(env, view, nullptr, nullptr, nullptr, &buffer, nullptr) != napi_ok)
    return;
  napi_detach_arraybuffer(env, buffer);
}

}  // namespace

bool BatchMemory::read(napi_env env, napi_value object) {
  napi_valuetype type;
  if (napi_typeof(env, object, &type) != napi_ok || type != napi_object)
    return refuse(env, "the memory for messages must be an object");
  object_ = Reference(env, object);
  return read_arena(env, object, arena_, views_.arena) &&
         read_integers(env, object, "rows", inbox::kRowLength, rows_, views_.rows) &&
         read_integers(env, object, "strings", inbox::kHeaderStrings * inbox::kStringEntryLength, strings_,
                       views_.strings) &&
         read_integers(env, object, "fds", 0, fds_, views_.fds);
}

void BatchMemory::free(napi_env env) const {
  // Otherwise the memory is freed with the environment.
  if (!is_running(env)) return;
  for (const Reference* view : {&arena_, &rows_, &strings_, &fds_, &large_}) free_buffer(env, view->get());
}

napi_value BatchMemory::large_buffer(napi_env env, size_t length, void*& data) {
  napi_value buffer = large_.get();
  size_t present = 0;
  if (buffer != nullptr) napi_get_arraybuffer_info(env, buffer, &data, &present);
  if (present >= length) return buffer;
  if (napi_create_arraybuffer(env, length, &data, &buffer) != napi_ok) return nullptr;
  if (length <= kKeptLength) large_ = Reference(env, buffer);
  return buffer;
}

void BatchMemories::use(napi_env env, napi_value make) {
  make_ = Reference(env, make);
  generation_++;
  free_.clear();
}

BatchMemories::Lease BatchMemories::take_free() {
  if (free_.empty()) return nullptr;
  Lease lease = std::move(free_.back());
  free_.pop_back();
  return lease;
}

BatchMemories::Lease BatchMemories::make(napi_env env) {
  napi_value function = make_.get(), global, object;
  if (function == nullptr || napi_get_global(env, &global) != napi_ok ||
      napi_call_function(env, global, function, 0, nullptr, &object) != napi_ok) {
    return nullptr;
  }
  Lease lease = std::make_unique<BatchMemory>();
  lease->generation = generation_;
  return lease->read(env, object) ? std::move(lease) : nullptr;
}

void BatchMemories::give_back(napi_env env, Lease lease) {
  if (free_.size() < kMaxFree && lease->generation == generation_) {
    free_.push_back(std::move(lease));
  } else {
    lease->free(env);
  }
}

}  // namespace busbar
