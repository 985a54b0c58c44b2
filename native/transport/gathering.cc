// Decides when resting begins and ends, by figures that were measured with the message buses.
#include "transport/gathering.h"

#include <algorithm>
#include <utility>

namespace busbar::transport {

namespace {

// More save little: a wake-up costs as much as some ten messages. And a bus that has more to write than a
// socket takes at once waits until we read: dbus-daemon when there are some forty small messages, because a
// socket is not called writable while more than a quarter of its buffer is used, and dbus-broker when there
// are 32.
constexpr uint32_t kGatheredAtMost = 24;
// Fewer are not worth a rest, which costs some system calls as well.
constexpr uint32_t kGatheredAtLeast = 10;
constexpr uint64_t kLongestRest = 1000;
// In nanoseconds: in the longest rest as many gather as are worth it.
constexpr uint64_t kSlowest = kLongestRest * 1000 / kGatheredAtLeast;
// Callers come and go: after so many rests another try finds out how many calls they have sent.
constexpr uint32_t kRestsUntilTried = 1024;
// A try in vain costs callers up to a millisecond: in the end there is one in so many calls.
constexpr uint32_t kMostPatience = 1 << 20;

}  // namespace

void Gathering::read(uint32_t count, Kind kind, uint32_t waiting, uint64_t now) {
  const uint64_t elapsed = now - std::exchange(last_read_, now);
  rests_until_ = 0;
  if (kind == Kind::kCalls) signals_left_ = kSignalsAlone;
  const bool is_called = kind == Kind::kSignals && signals_left_ > 0;
  if (is_called) signals_left_ -= std::min(count, signals_left_);
  if (std::exchange(kind_, kind) != kind || is_called) return stop();
  switch (phase_) {
    case Phase::kTiming:
      time(count, elapsed);
      break;
    case Phase::kTrying:
      try_calls(count, elapsed);
      break;
    case Phase::kResting:
      // Messages come more slowly now, or the bus waits until we read: dbus-broker writes sixteen at a time.
      if (count < wanted(waiting) * 3 / 4) return stop();
      if (kind == Kind::kCalls && --rests_left_ == 0) phase_ = Phase::kTrying;
      break;
  }
  if (phase_ == Phase::kTrying) return rest(kGatheredAtMost);
  if (phase_ != Phase::kResting) return;
  const uint32_t messages = wanted(waiting);
  if (messages < kGatheredAtLeast) return stop();
  rest(messages);
}

void Gathering::time(uint32_t count, uint64_t elapsed) {
  messages_ += count;
  microseconds_ += elapsed;
  reads_++;
  if (messages_ < (kind_ == Kind::kCalls ? patience_ : kTimed)) return;
  per_message_ = std::max<uint64_t>(microseconds_ * 1000 / messages_, 1);
  // Messages that come in gulps have gathered already, and their sender waits until they are read.
  if (per_message_ > kSlowest || messages_ >= reads_ * kGatheredAtMost) return stop();
  phase_ = kind_ == Kind::kCalls ? Phase::kTrying : Phase::kResting;
}

void Gathering::try_calls(uint32_t count, uint64_t elapsed) {
  if (count < 2 * kGatheredAtLeast || count * per_message_ < elapsed * 1000 * 3 / 4) {
    patience_ = std::min(patience_ * 4, kMostPatience);
    return stop();
  }
  patience_ = kTimed;
  came_ = count;
  rests_left_ = kRestsUntilTried;
  phase_ = Phase::kResting;
}

uint32_t Gathering::wanted(uint32_t waiting) const {
  switch (kind_) {
    case Kind::kSignals:
      return kGatheredAtMost;
    case Kind::kReplies:
      return std::min(kGatheredAtMost, waiting / 3);
    case Kind::kCalls:
      return std::min(kGatheredAtMost, came_ / 2);
  }
  return 0;
}

void Gathering::rest(uint32_t messages) {
  rests_until_ = last_read_ + std::min(messages * per_message_ / 1000, kLongestRest);
}

void Gathering::call_sent() {
  if (kind_ != Kind::kReplies) stop();
}

void Gathering::end_rest() {
  rests_until_ = 0;
  call_sent();
}

void Gathering::stop() {
  phase_ = Phase::kTiming;
  rests_until_ = 0;
  messages_ = 0;
  microseconds_ = 0;
  reads_ = 0;
}

}  // namespace busbar::transport
