// Runs a fuzz target over files instead of inventing inputs: what was found once is looked at in every build,
// with any compiler.
//
//   <target>_replay <statement> <folder>
//
// Each input has a process of its own, as it had when it was found: what one leaves behind changes nothing
// for the next, and one that fails hides none. A sanitizer looks for leaks at the end of each.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/fuzz.h"

namespace {

// Ten times what libFuzzer allows an input: a build for tests is slow.
constexpr unsigned kSeconds = 100;

[[noreturn]] void run(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) std::abort();
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  alarm(kSeconds);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  std::exit(0);
}

bool holds(const std::filesystem::path& path) {
  const pid_t child = fork();
  if (child == 0) run(path);
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

// The files of the folder, without the one that keeps an empty folder in the repository.
std::vector<std::filesystem::path> inputs(const char* folder, std::error_code& error) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().filename().native().front() != '.') found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

int main(int count, char** arguments) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (count != 3) return 2;
  const char* statement = arguments[1];
  if (busbar_fuzz_lacks != nullptr && busbar_fuzz_lacks() != nullptr) {
    std::printf("skipped - %s (%s)\n", statement, busbar_fuzz_lacks());
    return 0;
  }
  std::error_code error;
  const std::vector<std::filesystem::path> found = inputs(arguments[2], error);
  if (error) {
    std::printf("not ok - %s: %s: %s\n", statement, arguments[2], error.message().c_str());
    return 1;
  }
  bool failed = false;
  for (const auto& path : found) {
    if (holds(path)) continue;
    failed = true;
    std::printf("not ok - %s: %s\n", statement, path.filename().c_str());
  }
  if (failed) return 1;
  std::printf("ok - %s (%zu inputs)\n", statement, found.size());
  return 0;
}
