// Moves the messages of one connection: by sd-bus, or by a stream over the socket itself.
//
// A transport makes no callbacks: its owner asks it to `process`, looks at what that yielded, and waits for
// what `wants` says. So JavaScript never runs inside a transport, and may call any of these methods from any
// callback.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "inbox/inbox.h"

namespace busbar::transport {

// How far a connection has come: `ConnectionPhase` in src/native/binding.ts.
enum class Phase { kConnect, kAuthenticate, kOpen };

// The end of a connection: a positive errno, and in words the part of the reason that an errno cannot
// express.
struct Loss {
  int error;
  Phase phase;
  std::string detail;
};

// A message that cannot be sent, with a positive errno. Of a reply also the call that it answers and the
// caller, which waits for it.
struct Refusal {
  uint32_t serial;
  int error;
  uint32_t reply_serial = 0;
  std::string destination = {};
};

struct Progress {
  // Messages can be sent from now on. True once.
  bool opened = false;
  // Everything that was queued has been written. True once each time.
  bool drained = false;
  // The connection is lost; messages that came before are in the inbox.
  std::optional<Loss> lost;
  // Messages that had waited, and were refused when they were to be sent.
  std::vector<Refusal> refused = {};
};

// The events that the transport waits for.
struct Wants {
  int fd = -1;
  bool readable = false;
  bool writable = false;
  // Absolute microseconds of CLOCK_MONOTONIC; 0 when there is more to do at once.
  uint64_t deadline = kNoDeadline;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Begins to connect. Returns 0 or a positive errno.
  virtual int start() = 0;
  // Connects and authenticates as far as is possible without blocking, until the progress is `opened`.
  // Messages that the other side has sent by then wait for the first `process`.
  virtual Progress open() = 0;
  // Reads and writes what is possible without blocking, within a budget. Only of a transport that has opened;
  // `inbox` has been cleared.
  virtual Progress process(inbox::Inbox& inbox) = 0;
  // Valid until the next call of any other method.
  virtual Wants wants() = 0;
  // Sends whole messages, each on an 8-byte boundary. `fds` belong to the one message there is, and are
  // duplicated.
  virtual void send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
                    std::vector<Refusal>& refused) = 0;
  // Ends a rest in which messages gather: the last `send` came from outside a turn, so it was not caused by
  // what was read, and its caller probably waits for one reply.
  virtual void end_rest() {}
  // Bytes that the kernel has not taken yet.
  virtual uint64_t pending_bytes() const = 0;
  // Writes what is queued, as far as the kernel takes it at once, for an owner that does not want to read. A
  // transport that cannot write without reading keeps what it read for `process`.
  virtual void write() = 0;
  // Writes what is queued, for at most `milliseconds`. What arrives meanwhile is kept for `process`.
  virtual void flush(uint32_t milliseconds) = 0;
  // Whether the other side sent anything before the transport opened.
  virtual bool has_heard() const = 0;
  // Whether something that the other side sent waits for `process`.
  virtual bool has_unread() = 0;
  virtual Phase phase() const = 0;
  virtual bool can_send_fds() const = 0;
  // Writes what the kernel takes at once, and closes the socket, which must not be watched any more.
  virtual void close() = 0;
};

}  // namespace busbar::transport
