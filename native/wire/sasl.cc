// Cuts the stream into lines, and takes the steps of each role.
#include "wire/sasl.h"

#include "wire/utf8.h"

namespace busbar::wire {

namespace {

// The limit of libdbus for a handshake (MAX_BUFFER in dbus-auth.c). Ordinary lines have less than a hundred
// bytes.
constexpr size_t kMaxLineLength = size_t{16} * 1024;
// Ordinary handshakes have less than ten. There could be any number of unknown commands and errors otherwise.
constexpr size_t kMaxLines = 64;
// How many bytes of a line are shown.
constexpr size_t kMaxShown = 80;
// libdbus's limit (max_failures in dbus-auth.c).
constexpr int kMaxRejections = 6;

constexpr std::string_view kExternal = "EXTERNAL";
constexpr std::string_view kAnonymous = "ANONYMOUS";
// What an anonymous client may say about itself, for the server's log: "busbar".
constexpr std::string_view kTrace = "627573626172";

// Splits off what comes before the first space. Spaces around the rest have no meaning: old GLib sends one
// behind DATA.
std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return word;
}

int digit_of(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

std::optional<std::string> from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    const int high = digit_of(digits[i]), low = digit_of(digits[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const char byte : bytes) {
    digits.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
    digits.push_back(kDigits[static_cast<uint8_t>(byte) & 15]);
  }
  return digits;
}

std::string printable(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    if (byte >= ' ' && byte <= '~') {
      text.push_back(byte);
    } else {
      text += "\\x" + to_hex({&byte, 1});
    }
  }
  return text;
}

std::string_view bytes_of(const Guid& guid) {
  return {reinterpret_cast<const char*>(guid.data()), guid.size()};
}

bool names(std::string_view mechanisms, std::string_view mechanism) {
  while (!mechanisms.empty()) {
    if (take_word(mechanisms) == mechanism) return true;
  }
  return false;
}

}  // namespace

std::string_view describe(SaslFailure failure) {
  switch (failure) {
    case SaslFailure::kNone:
      return "nothing failed";
    case SaslFailure::kRejected:
      return "the server rejected this client";
    case SaslFailure::kOtherServer:
      return "the server does not have the GUID that the address requires";
    case SaslFailure::kNoNul:
      return "the first byte of a client must be NUL";
    case SaslFailure::kNoText:
      return "the handshake must be lines of printable ASCII that end with CR LF";
    case SaslFailure::kLineLength:
      return "a line of the handshake must not exceed 16 KiB";
    case SaslFailure::kLineCount:
      return "a handshake must not have more than 64 lines";
    case SaslFailure::kAttempts:
      return "a client must authenticate within six attempts";
    case SaslFailure::kBegin:
      return "BEGIN must not come before OK";
    case SaslFailure::kGuid:
      return "the GUID of OK must be 32 hexadecimal digits";
    case SaslFailure::kReject:
      return "CANCEL must be answered with REJECTED";
    case SaslFailure::kAgree:
      return "NEGOTIATE_UNIX_FD must be answered with AGREE_UNIX_FD or ERROR";
  }
  return "";
}

size_t SaslExchange::receive(std::span<const uint8_t> bytes) {
  size_t taken = 0;
  while (taken < bytes.size() && !done_ && failure_ == SaslFailure::kNone) {
    const uint8_t byte = bytes[taken++];
    if (line_.empty()) beginning_.clear();
    if (beginning_.size() < kMaxShown) beginning_.push_back(static_cast<char>(byte));
    take(byte);
  }
  // A line that is not text is shown with what follows it, which may tell what it is.
  if (failure_ == SaslFailure::kNoText) {
    for (size_t i = taken; i < bytes.size() && beginning_.size() < kMaxShown; i++)
      beginning_.push_back(static_cast<char>(bytes[i]));
  }
  return taken;
}

std::string SaslExchange::last_heard() const {
  std::string_view bytes = beginning_;
  while (bytes.ends_with('\n') || bytes.ends_with('\r')) bytes.remove_suffix(1);
  return printable(bytes);
}

void SaslExchange::take(uint8_t byte) {
  if (std::exchange(expects_nul_, false)) {
    if (byte != 0) fail(SaslFailure::kNoNul);
    return;
  }
  const bool ends = line_.ends_with('\r');
  if (ends && byte == '\n') return end_line();
  if (ends || (byte != '\r' && (byte < ' ' || byte > '~'))) return fail(SaslFailure::kNoText);
  // With what ends it.
  if (line_.size() + 1 >= kMaxLineLength) return fail(SaslFailure::kLineLength);
  line_.push_back(static_cast<char>(byte));
}

void SaslExchange::end_line() {
  if (++line_count_ > kMaxLines) return fail(SaslFailure::kLineCount);
  const std::string line = std::exchange(line_, {});
  std::string_view argument(line.data(), line.size() - 1);
  const std::string_view command = take_word(argument);
  on_line(command, argument);
}

void SaslExchange::send(std::string_view command, std::string_view argument) {
  output_ += command;
  if (!argument.empty()) output_ += ' ';
  output_ += argument;
  output_ += "\r\n";
}

SaslClient::SaslClient(Options options) : SaslExchange(false), options_(options) {
  send_nul();
  authenticate(options_.anonymous ? Attempt::kAnonymous : options_.is_bus ? Attempt::kKernel : Attempt::kUid);
}

void SaslClient::authenticate(Attempt attempt) {
  attempt_ = attempt;
  state_ = State::kWaitingForOk;
  switch (attempt) {
    case Attempt::kUid:
      return send("AUTH EXTERNAL", to_hex(std::to_string(options_.uid)));
    case Attempt::kKernel:
      // The empty identity comes later: as an argument of no length it cannot be told from none.
      state_ = State::kWaitingForData;
      return send("AUTH EXTERNAL");
    case Attempt::kAnonymous:
      return send("AUTH ANONYMOUS", kTrace);
  }
}

void SaslClient::on_line(std::string_view command, std::string_view argument) {
  if (state_ == State::kWaitingForAgreeUnixFd) {
    if (command != "AGREE_UNIX_FD" && command != "ERROR") return fail(SaslFailure::kAgree);
    agree_on_fds(command == "AGREE_UNIX_FD");
    if (options_.is_bus) send("BEGIN");
    return finish();
  }
  if (command == "REJECTED") return on_rejected(argument);
  if (state_ == State::kWaitingForReject) return fail(SaslFailure::kReject);
  if (command == "OK") return on_ok(argument);
  if (command == "ERROR") return cancel();
  if (command != "DATA") return on_nonsense();
  // Neither mechanism has anything to say to a challenge, but the one waits for it.
  if (state_ == State::kWaitingForOk) return cancel();
  send("DATA");
  state_ = State::kWaitingForOk;
}

void SaslClient::on_nonsense() {
  if (nonsense_.empty()) nonsense_ = last_heard();
  send("ERROR");
}

void SaslClient::cancel() {
  send("CANCEL");
  state_ = State::kWaitingForReject;
}

void SaslClient::on_rejected(std::string_view mechanisms) {
  if (!mechanisms.empty()) mechanisms_ = mechanisms.substr(0, kMaxShown);
  // Some servers list no mechanisms.
  const bool is_offered = mechanisms.empty() || names(mechanisms, kExternal);
  if (attempt_ == Attempt::kAnonymous || !is_offered || std::exchange(has_tried_other_, true))
    return fail(SaslFailure::kRejected);
  authenticate(attempt_ == Attempt::kUid ? Attempt::kKernel : Attempt::kUid);
}

void SaslClient::on_ok(std::string_view guid) {
  const std::optional<std::string> bytes = from_hex(guid);
  if (!bytes || bytes->size() != sizeof(Guid)) return fail(SaslFailure::kGuid);
  if (options_.guid && *bytes != bytes_of(*options_.guid)) return fail(SaslFailure::kOtherServer);
  begin();
}

void SaslClient::begin() {
  if (options_.fds) send("NEGOTIATE_UNIX_FD");
  // Whatever the answer is, the connection begins. To a peer both are said at once: it has read BEGIN before
  // the first message comes then, with which sd-bus could not take descriptors in one read.
  if (!options_.fds || !options_.is_bus) send("BEGIN");
  if (!options_.fds) return finish();
  state_ = State::kWaitingForAgreeUnixFd;
}

void SaslServer::on_line(std::string_view command, std::string_view argument) {
  const bool is_authenticated = state_ == State::kWaitingForBegin;
  if (command == "BEGIN") return is_authenticated ? finish() : fail(SaslFailure::kBegin);
  if (command == "ERROR") return reject();
  if (command == "CANCEL" && state_ != State::kWaitingForAuth) return reject();
  if (command == "AUTH" && state_ == State::kWaitingForAuth) return on_auth(argument);
  if (command == "DATA" && state_ == State::kWaitingForData) return on_data(argument);
  if (command == "NEGOTIATE_UNIX_FD" && is_authenticated) return on_negotiate_unix_fd();
  send("ERROR", "not understood here");
}

void SaslServer::on_auth(std::string_view argument) {
  const std::string_view mechanism = take_word(argument);
  if (mechanism == kExternal && options_.uid) {
    mechanism_ = Mechanism::kExternal;
  } else if (mechanism == kAnonymous && options_.anonymous) {
    mechanism_ = Mechanism::kAnonymous;
  } else {
    return reject();
  }
  if (!argument.empty()) return on_data(argument);
  send("DATA");
  state_ = State::kWaitingForData;
}

void SaslServer::on_data(std::string_view response) {
  const std::optional<std::string> identity = from_hex(response);
  if (!identity || !believes(*identity)) return reject();
  send("OK", to_hex(bytes_of(options_.guid)));
  state_ = State::kWaitingForBegin;
}

bool SaslServer::believes(std::string_view identity) const {
  // A trace is not looked at, but has to be one.
  if (mechanism_ == Mechanism::kAnonymous)
    return is_text(reinterpret_cast<const uint8_t*>(identity.data()), identity.size());
  // A client that claims no user id is the user that the kernel reports.
  return identity.empty() || identity == std::to_string(*options_.uid);
}

void SaslServer::on_negotiate_unix_fd() {
  agree_on_fds(options_.fds);
  if (options_.fds) return send("AGREE_UNIX_FD");
  send("ERROR", "no descriptors here");
}

void SaslServer::reject() {
  std::string mechanisms;
  if (options_.uid) mechanisms += kExternal;
  if (options_.uid && options_.anonymous) mechanisms += ' ';
  if (options_.anonymous) mechanisms += kAnonymous;
  send("REJECTED", mechanisms);
  agree_on_fds(false);
  state_ = State::kWaitingForAuth;
  if (++rejections_ == kMaxRejections) fail(SaslFailure::kAttempts);
}

}  // namespace busbar::wire
