// A module for Node.js that does on purpose what sanitizers look for: `npm run sanitize` believes in silence
// only where they see this. The environment variable CANARY says which.
#include <node_api.h>

#include <climits>
#include <cstdlib>
#include <cstring>

namespace {

// Volatile, so that no compiler finds out.
char* volatile memory;
volatile int number = INT_MAX;

void leak() {
  memory = static_cast<char*>(std::malloc(100));
  memory = nullptr;
}

void use_after_free() {
  memory = static_cast<char*>(std::malloc(100));
  std::free(memory);
  *memory = 1;
}

void overflow() { number = number + 1; }

}  // namespace

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env,
                                                                                     napi_value exports) {
  const char* kind = std::getenv("CANARY");
  if (kind == nullptr) return exports;
  if (std::strcmp(kind, "leak") == 0) leak();
  if (std::strcmp(kind, "use after free") == 0) use_after_free();
  if (std::strcmp(kind, "overflow") == 0) overflow();
  return exports;
}
