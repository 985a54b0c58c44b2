// Reads a message in hexadecimal on each line of standard input; prints the verdict of busbar's own check.
#include <cstdio>
#include <string>
#include <vector>

#include "wire/message.h"

namespace {

using namespace busbar::wire;

uint8_t digit(char c) { return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); }

std::vector<uint8_t> from_hexadecimal(const char* text, size_t length) {
  std::vector<uint8_t> bytes;
  bytes.reserve(length / 2);
  for (size_t i = 0; i + 1 < length; i += 2) {
    bytes.push_back(static_cast<uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

const char* outcome_of(const MessageVerdict& verdict) {
  if (verdict.is_sound()) return "message";
  if (verdict.verdict.rule == Rule::kTruncated) return "waiting";
  if (verdict.part == MessageVerdict::Part::kBody) return "faulty body";
  return verdict.part == MessageVerdict::Part::kHeader ? "nothing" : "closed";
}

}  // namespace

int main() {
  char* line = nullptr;
  size_t size = 0;
  for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
    std::vector<uint8_t> bytes = from_hexadecimal(line, static_cast<size_t>(length));
    // A sanitizer detects a read beyond the end.
    bytes.shrink_to_fit();
    const MessageVerdict verdict = check_message(bytes);
    // The texts of rules contain no character that JSON escapes.
    std::printf("{\"outcome\":\"%s\",\"because\":\"%s\"}\n", outcome_of(verdict),
                describe(verdict.verdict.rule).data());
    std::fflush(stdout);
  }
  free(line);
  return 0;
}
