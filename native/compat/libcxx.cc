// All that the addon needs of libc++'s library, for binaries that need no C++ library when they run (the
// option BUSBAR_OWN_LIBCXX).
//
// Linking the library itself would more than double the addon: it demangles names and unwinds stacks to
// report uncaught exceptions, and nothing throws here. What is left is memory, strings, and ways to end the
// process. All of it stays in the module (exports.map): it takes the place of nothing that the process has.
#include <charconv>
#include <cstdlib>
#include <new>
#include <string>

namespace {

// Nothing but an object of its own may be at the address, even of an object without a size.
void* allocate(std::size_t size) { return std::malloc(size == 0 ? 1 : size); }

void* allocate_or_end(std::size_t size) {
  void* memory = allocate(size);
  if (memory == nullptr) std::abort();
  return memory;
}

template <typename Unsigned>
std::string decimal(Unsigned value) {
  char digits[20];
  return {digits, std::to_chars(digits, std::end(digits), value).ptr};
}

}  // namespace

const std::nothrow_t std::nothrow{};

void* operator new(std::size_t size) { return allocate_or_end(size); }
void* operator new[](std::size_t size) { return allocate_or_end(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

// The headers leave these to the library, in a namespace whose name is theirs.
_LIBCPP_BEGIN_NAMESPACE_STD

template class basic_string<char>;
template string operator+(const char*, const string&);

// How many buckets a hash table gets: the next prime, which keeps keys apart whose hashes have a factor in
// common.
size_t __next_prime(size_t least) {
  const auto is_prime = [](size_t number) {
    for (size_t divisor = 3; divisor <= number / divisor; divisor += 2)
      if (number % divisor == 0) return false;
    return number % 2 != 0;
  };
  if (least <= 2) return least == 0 ? 0 : 2;
  size_t candidate = least | 1;
  while (!is_prime(candidate)) candidate += 2;
  return candidate;
}

string to_string(unsigned value) { return decimal(value); }
string to_string(unsigned long value) { return decimal(value); }

_LIBCPP_END_NAMESPACE_STD

extern "C" [[noreturn]] void __cxa_pure_virtual() { std::abort(); }
