// A test framework of a few lines: `TEST("a statement") { CHECK(…); }`, one executable a file.
#pragma once

#include <cstdio>
#include <vector>

namespace busbar::test {

struct Test {
  const char* statement;
  void (*run)();
};

inline std::vector<Test> tests;
inline bool failed = false;
inline const char* skip_reason = nullptr;

struct Registration {
  Registration(const char* statement, void (*run)()) { tests.push_back({statement, run}); }
};

inline void fail(const char* file, int line, const char* expression) {
  std::printf("# %s:%d: %s\n", file, line, expression);
  failed = true;
}

}  // namespace busbar::test

#define BUSBAR_NAME2(line) test_##line
#define BUSBAR_NAME(line) BUSBAR_NAME2(line)
#define BUSBAR_REGISTRATION2(line) registration_##line
#define BUSBAR_REGISTRATION(line) BUSBAR_REGISTRATION2(line)

#define TEST(statement)                                                                                    \
  static void BUSBAR_NAME(__LINE__)();                                                                     \
  static const busbar::test::Registration BUSBAR_REGISTRATION(__LINE__)(statement, BUSBAR_NAME(__LINE__)); \
  static void BUSBAR_NAME(__LINE__)()

#define CHECK(expression) \
  if (!(expression)) busbar::test::fail(__FILE__, __LINE__, #expression)

// For what the rest of the test depends on.
#define REQUIRE(expression)                              \
  if (!(expression)) {                                   \
    busbar::test::fail(__FILE__, __LINE__, #expression); \
    return;                                              \
  }

#define SKIP(reason)                    \
  do {                                  \
    busbar::test::skip_reason = reason; \
    return;                             \
  } while (false)
