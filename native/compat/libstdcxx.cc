// Holds the addon to a libstdc++ that old systems have (GLIBCXX_3.4.21, which Node.js itself needs).
//
// GCC 12's containers call this function when asked for an impossible size; it came with GLIBCXX_3.4.29.
// Nothing here can catch what it would throw, so ending the process is all that it would do as well. Declared
// without its header, whose declaration would give it default visibility.
#include <cstdlib>

namespace std {

[[noreturn]] __attribute__((visibility("hidden"))) void __throw_bad_array_new_length();

void __throw_bad_array_new_length() { abort(); }

}  // namespace std
