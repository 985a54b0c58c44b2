// Tells when messages come so fast that it pays to let some gather before the next read.
//
// A read costs a wake-up of the process and its system calls, and a bus that forwards messages one by one
// wakes the reader for each: that costs several times as much as the message. So while messages come at more
// than ten a millisecond, and nobody waits for one in particular, reading rests after each read until some
// dozens have gathered, for a millisecond at the most. That is so in two cases:
//
// - Nothing but signals comes. As soon as something is sent, it may be answered, and reading goes on at once.
// - Replies come, and many more calls wait. A rest gathers at most half of what waits, so that whoever answers
//   is never short of calls, and a reply that would be the last of a hundred is late by a half at the worst.
//
// Rests are so short that a socket, which buffers a few hundred messages, does not fill up meanwhile: a sender
// that is held up would get behind, and a bus hangs up on who does not read.
#pragma once

#include <cstdint>

namespace busbar::transport {

class Gathering {
 public:
  // What a read brought. Only signals and replies can wait.
  enum class Kind { kSignals, kReplies, kOther };

  // A read has brought messages, and was the last for now.
  // `waiting` says, of replies, how many messages were sent after the call that the last one answers.
  void read(int32_t messages, Kind kind, uint32_t waiting, uint64_t now);
  // Something was sent because of what was read, so more may be on their way: replies go on gathering.
  void sent();
  // Something was sent out of turn: reading goes on at once.
  void hurry();

  // When to read again: an absolute time of the same clock in microseconds, 0 for at once.
  uint64_t rests_until() const { return rests_until_; }

 private:
  void stop();

  Kind kind_ = Kind::kOther;
  uint64_t last_read_ = 0;
  // What came since timing began, without a rest: how long rests stretch must not depend on rests.
  uint32_t messages_ = 0;
  uint64_t microseconds_ = 0;
  // The time between two messages in nanoseconds, once they were timed and came fast; else 0.
  uint64_t per_message_ = 0;
  uint64_t rests_until_ = 0;
};

}  // namespace busbar::transport
