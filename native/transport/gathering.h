// Tells when messages come so fast that it pays to let some gather before the next read.
//
// A read costs a wake-up of the process and its system calls, and a bus that forwards messages one by one
// wakes the reader for each: that costs several times as much as the message. So while messages come at more
// than ten a millisecond, and no caller waits for a particular one, reading rests after each read until some
// dozens have gathered, for a millisecond at the most. That is so in three cases:
//
// - Nothing but signals comes, and no call came before them for very long: a connection that is called may be
//   called again at any time, and that caller must not wait for signals to gather.
// - Replies come, and many more calls wait.
// - Calls come, and their callers have sent many more already. Only they know, so it is tried: if in one long
//   rest twice as many come as would gather, as fast as before, then they do not wait for answers before
//   they call again. Where a try is in vain, the next one comes later and later.
//
// At most a third of the replies that are awaited gather, and half of the calls that came in the long rest:
// even where both ends gather, the bus between them has enough to do. What comes in gulps has gathered
// already. A call that is sent awaits one particular message: that ends a rest, except where the replies to
// many calls are gathered and it is one more of those.
//
// Rests are so short that a socket, which buffers a few hundred messages, does not fill up meanwhile: a
// sender that is held up would get behind, and a bus disconnects clients that do not read.
#pragma once

#include <cstdint>

namespace busbar::transport {

class Gathering {
 public:
  // The kind of the messages of a read. A batch with calls counts as calls, and signals with replies count as
  // replies.
  enum class Kind { kSignals, kReplies, kCalls };

  // So many signals come without a call before reading rests again: most of a minute of twenty thousand a
  // second. A service that also listens to a flood is woken for each signal, and a client is not.
  static constexpr uint32_t kSignalsAlone = 1 << 20;

  // A read has brought messages, and was the last for now.
  // `waiting` says, of replies, how many messages were sent after the call that the last one answers.
  void read(uint32_t count, Kind kind, uint32_t waiting, uint64_t now);
  // A call was sent because of what was read.
  void call_sent();
  // A call was sent out of turn.
  void end_rest();

  // When to read again: an absolute time of the same clock in microseconds, 0 for at once.
  uint64_t rests_until() const { return rests_until_; }

 private:
  enum class Phase { kTiming, kTrying, kResting };

  void time(uint32_t count, uint64_t elapsed);
  void try_calls(uint32_t count, uint64_t elapsed);
  // The number of messages to gather.
  uint32_t wanted(uint32_t waiting) const;
  void rest(uint32_t messages);
  // Times messages anew.
  void stop();

  Kind kind_ = Kind::kSignals;
  Phase phase_ = Phase::kTiming;
  uint64_t last_read_ = 0;
  uint64_t rests_until_ = 0;
  // What came since timing began, without a rest: how long rests stretch must not depend on rests. And in how
  // many reads.
  uint32_t messages_ = 0;
  uint64_t microseconds_ = 0;
  uint32_t reads_ = 0;
  // The time between two messages in nanoseconds, when they were timed.
  uint64_t per_message_ = 0;
  // Of calls: how many came in the long rest, how many to time before the next one, and how many rests they
  // have left before it is tried again.
  uint32_t came_ = 0;
  uint32_t patience_ = kTimed;
  uint32_t rests_left_ = 0;
  // How many signals are still to come without a call.
  uint32_t signals_left_ = 0;

  // So many are timed before reading rests.
  static constexpr uint32_t kTimed = 64;
};

}  // namespace busbar::transport
