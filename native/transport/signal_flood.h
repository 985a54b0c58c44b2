// Tells when signals come so fast that it pays to let some gather before the next read.
//
// A read costs a wake-up of the process and its system calls, and a bus that forwards signals one by one
// wakes the reader for each: in a flood that costs more than the signals. So while a connection only gets
// signals, at more than ten a millisecond, reading rests for a millisecond after each read. Nobody waits
// for that: as soon as something else arrives, or is sent and may be answered, reading goes on at once. And
// what comes in gulps anyway is not held up, or a sender who is ahead would get further ahead: a socket
// buffers a few hundred signals, and the bus hangs up on who does not read.
#pragma once

#include <cstdint>

namespace busbar::transport {

class SignalFlood {
 public:
  // A read has brought messages, and may have been the last for now.
  void read(int32_t messages, bool only_signals, uint64_t now);
  // A message was sent.
  void sent();

  bool is_on() const { return on_; }
  // When to read again: an absolute time of the same clock, 0 for at once.
  uint64_t rests_until() const { return rests_until_; }

 private:
  bool on_ = false;
  uint64_t rests_until_ = 0;
  // The signals that are being timed, and since when.
  int32_t counted_ = 0;
  uint64_t counted_since_ = 0;
};

}  // namespace busbar::transport
