// Authentication: both roles say and decide the same however the other side's bytes are split, and no client
// gets in that must not.
#include <algorithm>

#include "fuzz/fuzz.h"
#include "wire/sasl.h"

using namespace busbar;
using namespace busbar::fuzz;
using wire::SaslClient;
using wire::SaslExchange;
using wire::SaslFailure;
using wire::SaslServer;

namespace {

constexpr uint32_t kUid = 1000;
constexpr wire::Guid kGuid{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

struct Outcome {
  std::string said;
  size_t taken = 0;
  bool is_done = false;
  bool passes_fds = false;
  SaslFailure failure = SaslFailure::kNone;
  // The text that errors show.
  std::string last_heard{};
  std::string mechanisms{};
  std::string nonsense{};

  bool operator==(const Outcome&) const = default;
};

void check_text(std::string_view said) {
  HOLDS(said.empty() || said.ends_with("\r\n"));
  for (size_t i = 0; i < said.size(); i++) {
    if (said[i] == '\n') HOLDS(i > 0 && said[i - 1] == '\r');
    if (said[i] == '\r') HOLDS(i + 1 < said.size() && said[i + 1] == '\n');
    if (said[i] != '\r' && said[i] != '\n') HOLDS(said[i] >= ' ' && said[i] <= '~');
  }
}

void check_shown(const std::string& text) {
  // A byte that is none of ASCII takes four characters.
  HOLDS(text.size() <= size_t{4} * 80);
  for (const char each : text) HOLDS(each >= ' ' && each <= '~');
}

// A client of a bus begins with what needs no number.
void check_lines(std::string_view said, uint8_t choice) {
  if ((choice & 64) == 0 || (choice & 8) != 0) return;
  HOLDS(said.starts_with("AUTH EXTERNAL\r\n"));
}

// Hands the bytes over in portions of less than `bound`, or all at once if it is 0.
Outcome run(SaslExchange& exchange, std::span<const uint8_t> bytes, Choices choices, size_t bound) {
  Outcome outcome;
  outcome.said = exchange.take_output();
  bool is_over = false;
  while (!bytes.empty() && !is_over) {
    const size_t portion = bound == 0 ? bytes.size() : std::min(bytes.size(), 1 + choices.below(bound));
    const std::vector<uint8_t> copy = copy_of(bytes.first(portion));
    const size_t taken = exchange.receive(copy);
    HOLDS(taken <= portion);
    outcome.taken += taken;
    outcome.said += exchange.take_output();
    is_over = exchange.is_done() || exchange.failure() != SaslFailure::kNone;
    HOLDS(taken == portion || is_over);
    bytes = bytes.subspan(portion);
  }
  HOLDS(!is_over || exchange.receive(bytes) == 0);
  outcome.is_done = exchange.is_done();
  outcome.passes_fds = exchange.passes_fds();
  outcome.failure = exchange.failure();
  check_shown(exchange.last_heard());
  // Bytes that are not text are shown with those that were received together with them.
  if (outcome.failure != SaslFailure::kNoText) outcome.last_heard = exchange.last_heard();
  HOLDS(!outcome.is_done || outcome.failure == SaslFailure::kNone);
  return outcome;
}

SaslServer::Options server_options(uint8_t choice) {
  SaslServer::Options options{.anonymous = (choice & 1) != 0, .fds = (choice & 2) != 0, .guid = kGuid};
  if ((choice & 4) != 0) options.uid = kUid;
  return options;
}

SaslClient::Options client_options(uint8_t choice) {
  SaslClient::Options options{
      .uid = kUid, .is_bus = (choice & 64) != 0, .anonymous = (choice & 8) != 0, .fds = (choice & 16) != 0};
  if ((choice & 32) != 0) options.guid = kGuid;
  return options;
}

void check_server(std::span<const uint8_t> bytes, uint8_t choice, Choices choices) {
  const auto run_server = [&](size_t bound) {
    SaslServer server(server_options(choice));
    return run(server, bytes, choices, bound);
  };
  const Outcome whole = run_server(0);
  HOLDS(whole == run_server(1) && whole == run_server(9));
  check_text(whole.said);
  if (whole.passes_fds) HOLDS((choice & 2) != 0);
  if (!whole.is_done) return;
  // No client gets in where there is no mechanism, or before it authenticates; and BEGIN is the last line.
  HOLDS((choice & 5) != 0 && whole.said.find("OK ") != std::string::npos);
  const std::string_view heard(reinterpret_cast<const char*>(bytes.data()), whole.taken);
  HOLDS(heard.starts_with('\0') && heard.ends_with("\r\n"));
  const size_t line = heard.rfind('\n', heard.size() - 2);
  HOLDS(heard.substr(line == std::string_view::npos ? 1 : line + 1).starts_with("BEGIN"));
}

void check_client(std::span<const uint8_t> bytes, uint8_t choice, Choices choices) {
  const auto run_client = [&](size_t bound) {
    SaslClient client(client_options(choice));
    Outcome outcome = run(client, bytes, choices, bound);
    outcome.mechanisms = client.mechanisms();
    outcome.nonsense = client.nonsense();
    return outcome;
  };
  const Outcome whole = run_client(0);
  HOLDS(whole == run_client(1) && whole == run_client(9));
  check_shown(whole.mechanisms);
  check_shown(whole.nonsense);
  check_lines(std::string_view(whole.said).substr(1), choice);
  HOLDS(whole.said.starts_with('\0'));
  check_text(std::string_view(whole.said).substr(1));
  if (whole.passes_fds) HOLDS((choice & 16) != 0);
  HOLDS(!whole.is_done || whole.said.ends_with("BEGIN\r\n"));
}

// The two with each other: they agree wherever they can, on the descriptors as well.
void check_pair(uint8_t choice, Choices choices) {
  SaslServer server(server_options(choice));
  SaslClient client(client_options(choice));
  std::string to_server = client.take_output(), to_client;
  const auto pass = [&](SaslExchange& to, std::string& text) {
    if (text.empty()) return;
    const size_t portion = 1 + choices.below(text.size());
    const size_t taken = to.receive({reinterpret_cast<const uint8_t*>(text.data()), portion});
    HOLDS(taken == portion || to.failure() != SaslFailure::kNone);
    text.erase(0, portion);
  };
  for (int turn = 0; turn < 10'000 && !(to_server.empty() && to_client.empty()); turn++) {
    pass(server, to_server);
    to_client += server.take_output();
    pass(client, to_client);
    to_server += client.take_output();
  }
  const bool is_anonymous = (choice & 8) != 0;
  const bool is_welcome = (choice & (is_anonymous ? 1 : 4)) != 0;
  HOLDS(client.is_done() == is_welcome && server.is_done() == is_welcome);
  if (!is_welcome) HOLDS(client.failure() == SaslFailure::kRejected);
  if (is_welcome) HOLDS(client.passes_fds() == server.passes_fds());
  if (is_welcome) HOLDS(client.passes_fds() == ((choice & 18) == 18));
}

}  // namespace

// The first byte chooses the options, the second how bytes are split, and the rest is what the other side
// says.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::span<const uint8_t> bytes(data, size);
  const uint8_t choice = take_byte(bytes);
  const Choices choices(take_byte(bytes));
  check_server(bytes, choice, choices);
  check_client(bytes, choice, choices);
  check_pair(choice, choices);
  return 0;
}
