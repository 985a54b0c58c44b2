// Finds an sd-bus library and resolves its functions: the one file that knows library names.
#include "sdbus/api.h"

#include <dlfcn.h>

namespace busbar::sdbus {

std::unique_ptr<Library> Library::open() {
  // In this order since elogind and basu are for systems without systemd; all have the same functions.
  for (const char* name : {"libsystemd.so.0", "libelogind.so.0", "libbasu.so.0"}) {
    // NODELETE: libsystemd keeps thread-local state, so it must outlive every worker that used it.
    void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == nullptr) continue;
    std::unique_ptr<Library> library(new Library(handle, name));
    if (library->resolve()) return library;
  }
  return nullptr;
}

Library::~Library() { dlclose(handle_); }

bool Library::resolve() {
#define BUSBAR_RESOLVE(name, result, parameters)                            \
  api_.name = reinterpret_cast<decltype(api_.name)>(dlsym(handle_, #name)); \
  if (api_.name == nullptr) return false;
  BUSBAR_SDBUS_FUNCTIONS(BUSBAR_RESOLVE)
#undef BUSBAR_RESOLVE
  return true;
}

}  // namespace busbar::sdbus
