// The authentication protocol: the lines of text by which a client authenticates to a server, before the
// first message. A machine for each role, fed with bytes in any portions; it reads and writes nothing itself.
// The states and their names are those of the D-Bus specification, section "Authentication Protocol".
//
// Bytes after the last line belong to the stream of messages, and are left there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "wire/guid.h"

namespace busbar::wire {

enum class SaslFailure : uint8_t {
  kNone,
  // To a client: the server accepts none of the mechanisms that it tried.
  kRejected,
  // To a client: the server has another id than the address.
  kOtherServer,

  // The other side broke the protocol.
  kNoNul,
  kNoText,
  kLineLength,
  kLineCount,
  kAttempts,
  kBegin,
  kGuid,
  kReject,
  kAgree,
};

// The failure in words; those about the protocol go on after "the other side broke the protocol: ".
std::string_view describe(SaslFailure failure);

// What both roles have in common: lines, and how the exchange ends.
class SaslExchange {
 public:
  SaslExchange(const SaslExchange&) = delete;
  SaslExchange& operator=(const SaslExchange&) = delete;
  virtual ~SaslExchange() = default;

  // Takes bytes of the other side, and returns how many: all of them, unless the exchange ends before.
  size_t receive(std::span<const uint8_t> bytes);
  // The lines to send to the other side before anything else.
  std::string take_output() { return std::exchange(output_, {}); }

  // The exchange is complete: the next bytes are a message.
  bool is_done() const { return done_; }
  SaslFailure failure() const { return failure_; }
  // Whether messages may carry descriptors.
  bool passes_fds() const { return passes_fds_; }
  // The beginning of the last line of the other side, which may be incomplete, as printable text; empty
  // before its first byte.
  std::string last_heard() const;

 protected:
  explicit SaslExchange(bool expects_nul) : expects_nul_(expects_nul) {}

  virtual void on_line(std::string_view command, std::string_view argument) = 0;

  void send(std::string_view command, std::string_view argument = {});
  void send_nul() { output_.push_back('\0'); }
  void agree_on_fds(bool passes_fds) { passes_fds_ = passes_fds; }
  void finish() { done_ = true; }
  void fail(SaslFailure failure) { failure_ = failure; }

 private:
  void take(uint8_t byte);
  void end_line();

  bool expects_nul_;
  bool done_ = false;
  bool passes_fds_ = false;
  SaslFailure failure_ = SaslFailure::kNone;
  // The received part of the present line, without its end.
  std::string line_;
  size_t line_count_ = 0;
  // The beginning of the last line: of the present one, once it has a byte.
  std::string beginning_;
  std::string output_;
};

class SaslClient final : public SaslExchange {
 public:
  struct Options {
    // The user id that the client claims. Where the server rejects that, the client claims none, so that the
    // server asks the kernel. User ids differ between user namespaces, and only the kernel can translate
    // them; but not every server asks it.
    uint32_t uid;
    // Whether the server is a bus. All buses ask the kernel, so the user id is claimed last. And each line
    // waits for the answer to the one before: some proxies of buses read the handshake, and lose count where
    // a client sends more than one line at a time (xdg-dbus-proxy before 0.1.6).
    bool is_bus = false;
    // It claims no identity, and uses the mechanism ANONYMOUS.
    bool anonymous = false;
    // Whether to ask for descriptors.
    bool fds = false;
    // The id that the server must have; any if there is none.
    std::optional<Guid> guid{};
  };

  explicit SaslClient(Options options);

  // The mechanisms that the server listed when it rejected this client; empty if it listed none.
  const std::string& mechanisms() const { return mechanisms_; }
  // The first line that is not an answer of the protocol, as printable text; empty if there was none.
  const std::string& nonsense() const { return nonsense_; }

 private:
  enum class State { kWaitingForData, kWaitingForOk, kWaitingForReject, kWaitingForAgreeUnixFd };
  enum class Attempt { kUid, kKernel, kAnonymous };

  void on_line(std::string_view command, std::string_view argument) override;
  void authenticate(Attempt attempt);
  void on_ok(std::string_view guid);
  void on_rejected(std::string_view mechanisms);
  void on_nonsense();
  void cancel();
  void begin();

  const Options options_;
  Attempt attempt_;
  State state_;
  bool has_tried_other_ = false;
  std::string mechanisms_;
  std::string nonsense_;
};

class SaslServer final : public SaslExchange {
 public:
  struct Options {
    // The user id of the client, as the kernel reports it; none over TCP.
    std::optional<uint32_t> uid{};
    // Whether clients may use the mechanism ANONYMOUS.
    bool anonymous = false;
    // Whether to agree to descriptors.
    bool fds = false;
    Guid guid{};
  };

  explicit SaslServer(Options options) : SaslExchange(true), options_(options) {}

 private:
  enum class State { kWaitingForAuth, kWaitingForData, kWaitingForBegin };
  enum class Mechanism { kExternal, kAnonymous };

  void on_line(std::string_view command, std::string_view argument) override;
  void on_auth(std::string_view argument);
  void on_data(std::string_view response);
  void on_negotiate_unix_fd();
  bool believes(std::string_view identity) const;
  void reject();

  const Options options_;
  State state_ = State::kWaitingForAuth;
  Mechanism mechanism_ = Mechanism::kExternal;
  int rejections_ = 0;
};

}  // namespace busbar::wire
