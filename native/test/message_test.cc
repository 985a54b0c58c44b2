// Whole messages: every rule of headers, and the corpora of other implementations with their verdicts.
#include "wire/message.h"

#include <cstdio>
#include <filesystem>
#include <string>

#include "check.h"
#include "message_bytes.h"

using namespace busbar::wire;
using busbar::test::Bytes;
using busbar::test::message_bytes;
using busbar::test::MessageFields;

namespace {

const MessageFields kSignalFields = {
    .type = kSignal, .serial = 7, .path = "/a", .interface = "a.b", .member = "C"};

MessageVerdict verdict_of(std::vector<uint8_t> bytes) {
  bytes.shrink_to_fit();
  return check_message(bytes);
}

Rule rule_of(MessageFields fields) {
  const Rule little = verdict_of(message_bytes(fields)).verdict.rule;
  fields.big = true;
  CHECK(verdict_of(message_bytes(fields)).verdict.rule == little);
  return little;
}

// A signal with one more field, written by `write` on an 8-byte boundary.
template <typename Write>
Rule rule_with(Write write) {
  Bytes message;
  message.bytes = message_bytes(kSignalFields);
  write(message);
  // Fields end where their length says, before the padding.
  const size_t length = message.bytes.size() - 16;
  for (size_t i = 0; i < 4; i++) message.bytes[12 + i] = static_cast<uint8_t>(length >> 8 * i);
  return verdict_of(message.align(8).bytes).verdict.rule;
}

std::string shared(const char* path) {
  for (std::filesystem::path at = std::filesystem::current_path(); at != at.parent_path();
       at = at.parent_path()) {
    const std::filesystem::path found = at / "shared" / "data" / path;
    std::error_code error;
    if (std::filesystem::exists(found, error)) return found.string();
  }
  return {};
}

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[65536];
  for (size_t count; (count = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, count);
  pclose(pipe);
  return text;
}

// The value of a text member of a JSON object, for texts without escapes.
std::string_view member_of(std::string_view line, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":\"";
  const size_t start = line.find(key);
  if (start == std::string_view::npos) return {};
  const std::string_view rest = line.substr(start + key.size());
  return rest.substr(0, rest.find('"'));
}

std::vector<uint8_t> from_hex(std::string_view hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// Compares verdicts with libdbus's, message by message.
void compare_with_libdbus(const char* path) {
  const std::string file = shared(path);
  if (file.empty()) SKIP("the corpora are not beside the project");
  const std::string text = output_of("gzip -dc '" + file + "'");
  size_t count = 0, differences = 0;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    const std::string_view line = std::string_view(text).substr(start, end - start);
    start = end == std::string::npos ? text.size() : end + 1;
    const std::vector<uint8_t> bytes = from_hex(member_of(line, "hex"));
    const std::string_view libdbus = member_of(line, "libdbus");
    if (bytes.empty() || libdbus.empty()) continue;
    count++;
    const MessageVerdict verdict = verdict_of(bytes);
    if (verdict.verdict.rule == Rule::kTruncated) continue;
    const bool is_sound = verdict.is_sound() && verdict.length == bytes.size();
    if (is_sound == (libdbus == "valid")) continue;
    // libdbus has no descriptors for what it demarshals, and refuses messages that need some.
    if (libdbus.find("fds") != std::string_view::npos) continue;
    differences++;
    std::printf("# libdbus says %.*s, we say %s (byte %zu): %.*s\n", static_cast<int>(libdbus.size()),
                libdbus.data(), describe(verdict.verdict.rule).data(), verdict.verdict.offset,
                static_cast<int>(line.size()), line.data());
  }
  std::printf("# %zu messages of %s\n", count, path);
  CHECK(count > 0 && differences == 0);
}

}  // namespace

TEST("a message is sound in either byte order") {
  CHECK(rule_of(kSignalFields) == Rule::kNone);
  MessageFields fields = kSignalFields;
  fields.signature = "s";
  for (const bool big : {false, true}) {
    fields.big = big;
    Bytes body(big);
    const MessageVerdict verdict = verdict_of(message_bytes(fields, body.string("x")));
    CHECK(verdict.is_sound() && verdict.part == MessageVerdict::Part::kBody && verdict.length > 0);
  }
}

TEST("names in headers are judged") {
  const auto with = [](auto change) {
    MessageFields fields = kSignalFields;
    change(fields);
    return rule_of(fields);
  };
  CHECK(with([](auto& f) { f.path = "a"; }) == Rule::kPath);
  CHECK(with([](auto& f) { f.interface = "a"; }) == Rule::kInterface);
  CHECK(with([](auto& f) { f.member = "a.b"; }) == Rule::kMember);
  CHECK(with([](auto& f) { f.destination = "a"; }) == Rule::kDestination);
  CHECK(with([](auto& f) { f.sender = ".."; }) == Rule::kSender);
  CHECK(with([](auto& f) { f.error_name = "a"; }) == Rule::kErrorName);
  CHECK(with([](auto& f) { f.signature = "z"; }) == Rule::kSignature);
  CHECK(with([](auto& f) { f.path = "/org/freedesktop/DBus/Local"; }) == Rule::kLocal);
  // Judged by others as well: names may not be read half.
  CHECK(with([](auto& f) { f.interface = std::string_view("a.b\0c", 5); }) == Rule::kInterface);
}

TEST("the form of header fields is judged") {
  CHECK(rule_with([](Bytes& b) { b.u8(0).signature("s").string("x"); }) == Rule::kFieldCode);
  CHECK(rule_with([](Bytes& b) { b.u8(6).signature("o").string("/x"); }) == Rule::kFieldType);
  CHECK(rule_with([](Bytes& b) { b.u8(5).signature("s").string("x"); }) == Rule::kFieldType);
  CHECK(rule_with([](Bytes& b) { b.u8(5).signature("u").u32(0); }) == Rule::kReplySerial);
  CHECK(rule_with([](Bytes& b) { b.u8(3).signature("s").string("Again"); }) == Rule::kFieldTwice);
  CHECK(rule_with([](Bytes& b) { b.u8(6).signature("s").u32(100).raw("x"); }) == Rule::kFieldBounds);
  CHECK(rule_with([](Bytes& b) { b.u8(6).signature("s").u32(1).raw("xx"); }) == Rule::kFieldString);
  CHECK(rule_with([](Bytes& b) { b.u8(6).signature("s"); }) == Rule::kFieldBounds);
  CHECK(rule_with([](Bytes& b) { b.u8(77).signature("yy").u8(1).u8(1); }) == Rule::kFieldValue);
  CHECK(rule_with([](Bytes& b) { b.u8(77).signature("s").u32(1000); }) == Rule::kFieldValue);
  CHECK(rule_with([](Bytes& b) { b.u8(77).signature("v").signature("as").align(4).u32(6).string("x"); }) ==
        Rule::kNone);
  CHECK(rule_with([](Bytes& b) { b.u8(77).signature("y").u8(1).align(8, 1).u8(78).signature("y").u8(1); }) ==
        Rule::kFieldPadding);
}

TEST("every single corrupt byte of a message is survived") {
  MessageFields fields = kSignalFields;
  fields.signature = "sv";
  for (const bool big : {false, true}) {
    fields.big = big;
    Bytes body(big);
    const std::vector<uint8_t> good = message_bytes(fields, body.string("x").signature("ai").u32(4).u32(1));
    CHECK(verdict_of(good).is_sound());
    for (size_t at = 0; at < good.size(); at++) {
      for (int value = 0; value < 256; value++) {
        std::vector<uint8_t> bytes = good;
        bytes[at] = static_cast<uint8_t>(value);
        CHECK(verdict_of(bytes).length <= bytes.size());
      }
    }
  }
}

TEST("messages of dbus's own generator are judged as libdbus does") {
  compare_with_libdbus("dbus-message-factory/core.jsonl.gz");
}

TEST("messages changed in one place are judged as libdbus does") {
  compare_with_libdbus("dbus-message-factory/mutations-dev10pct.jsonl.gz");
}

TEST("messages that D-Bus forbids are refused, and messages that once crashed sd-bus do no harm") {
  const std::string invalid = shared("dbus-1.14/invalid-messages"),
                    valid = shared("dbus-1.14/valid-messages"),
                    crashes = shared("systemd-fuzz/fuzz-bus-message");
  if (invalid.empty() || crashes.empty()) SKIP("the corpora are not beside the project");
  for (const std::string& folder : {invalid, valid, crashes}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".hex") continue;
      const std::string text = output_of("cat '" + entry.path().string() + "'");
      const MessageVerdict verdict = verdict_of({text.begin(), text.end()});
      if (folder == invalid) CHECK(!verdict.is_sound());
      // libdbus leaves it to the reader of the descriptor to find that it never came.
      if (folder == valid) CHECK(verdict.is_sound() || verdict.verdict.rule == Rule::kFdIndex);
    }
  }
}
