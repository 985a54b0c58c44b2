// Runs a fuzz target over files instead of inventing inputs: what was found once is looked at in every build,
// with any compiler.
//
//   <target>_replay <statement> <folder or file>…
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/fuzz.h"

namespace {

size_t replay(const std::filesystem::path& path) {
  std::error_code error;
  size_t count = 0;
  if (std::filesystem::is_directory(path, error)) {
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) count += replay(entry.path());
    return count;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return 0;
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  // A property that breaks ends the process; this line says where.
  std::fprintf(stderr, "%s\n", path.filename().c_str());
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (count < 2) return 2;
  size_t inputs = 0;
  for (int i = 2; i < count; i++) inputs += replay(arguments[i]);
  std::printf("ok - %s (%zu inputs)\n", arguments[1], inputs);
  return 0;
}
