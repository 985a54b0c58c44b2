// Reads a signature on each line of standard input; prints 1 for each that busbar's native half accepts, and 0 for others.
#include <cstdio>
#include <cstdlib>

#include "wire/signature.h"

int main() {
  char* line = nullptr;
  size_t size = 0;
  for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
    const std::string_view signature(line, static_cast<size_t>(length) - 1);
    std::puts(busbar::wire::is_valid_signature(signature) ? "1" : "0");
  }
  std::free(line);
  return 0;
}
