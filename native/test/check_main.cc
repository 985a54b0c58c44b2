// Runs the tests of an executable, and prints a line for each.
#include "check.h"

int main() {
  using namespace busbar::test;
  // A crash must not swallow the lines before it.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  int failures = 0;
  for (const Test& test : tests) {
    failed = false;
    skip_reason = nullptr;
    test.run();
    if (failed) {
      failures++;
      std::printf("not ok - %s\n", test.statement);
    } else if (skip_reason != nullptr) {
      std::printf("skipped - %s (%s)\n", test.statement, skip_reason);
    } else {
      std::printf("ok - %s\n", test.statement);
    }
  }
  return failures == 0 ? 0 : 1;
}
