/*
 * The functions of glibc that Debian's libstdc++, libelogind and libcap need and musl does not have, with the names of
 * glibc: checked variants, 64-bit variants, and a few others. The layout of their arguments in musl is that of glibc on
 * x86-64.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>

/* There may always be several threads, which costs an atomic instruction in some places. */
char __libc_single_threaded = 0;

int __pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) { return pthread_key_create(key, destructor); }

int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void* module) {
  return pthread_atfork(prepare, parent, child);
}

/* Not found: the unwinder then asks dl_iterate_phdr. */
int _dl_find_object(void* address, void* result) { return -1; }

uint32_t arc4random(void) {
  uint32_t number;
  getrandom(&number, sizeof number, 0);
  return number;
}

int fcntl64(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  const long argument = va_arg(list, long);
  va_end(list);
  return fcntl(fd, command, argument);
}

int __open64_2(const char* path, int flags) { return open(path, flags); }
int __openat64_2(int folder, const char* path, int flags) { return openat(folder, path, flags); }

void* __memcpy_chk(void* to, const void* from, size_t length, size_t space) { return memcpy(to, from, length); }
char* __strcpy_chk(char* to, const char* from, size_t space) { return strcpy(to, from); }
void __explicit_bzero_chk(void* memory, size_t length, size_t space) { explicit_bzero(memory, length); }

/* For messages to the journal, of which there are none. */
size_t parse_printf_format(const char* format, size_t count, int* types) { return 0; }

int __vsnprintf_chk(char* text, size_t length, int flag, size_t space, const char* format, va_list list) {
  return vsnprintf(text, length, format, list);
}

int __vasprintf_chk(char** text, int flag, const char* format, va_list list) { return vasprintf(text, format, list); }

#define FORMATTED(type, name, parameters, call) \
  type name parameters {                        \
    va_list list;                               \
    va_start(list, format);                     \
    const type result = call;                   \
    va_end(list);                               \
    return result;                              \
  }

FORMATTED(int, __asprintf_chk, (char** text, int flag, const char* format, ...), vasprintf(text, format, list))
FORMATTED(int, __fprintf_chk, (FILE* file, int flag, const char* format, ...), vfprintf(file, format, list))
FORMATTED(int, __printf_chk, (int flag, const char* format, ...), vprintf(format, list))
FORMATTED(int, __sprintf_chk, (char* text, int flag, size_t space, const char* format, ...),
          vsprintf(text, format, list))
FORMATTED(int, __snprintf_chk, (char* text, size_t length, int flag, size_t space, const char* format, ...),
          vsnprintf(text, length, format, list))

void __syslog_chk(int priority, int flag, const char* format, ...) {
  va_list list;
  va_start(list, format);
  vsyslog(priority, format, list);
  va_end(list);
}
