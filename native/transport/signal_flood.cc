// When a flood begins and ends, in numbers.
#include "transport/signal_flood.h"

namespace busbar::transport {

namespace {

constexpr uint64_t kRestMicroseconds = 1000;
// So many signals at the least in one rest, or resting does not pay.
constexpr int32_t kSignalsPerRest = 10;
// So many at a time are worth a wake-up.
constexpr int32_t kGulp = 32;
// So many have to come at that rate before it counts as a flood: a burst of a few hundred is over soon.
constexpr int32_t kSignalsTimed = 256;

}  // namespace

void SignalFlood::read(int32_t messages, bool only_signals, uint64_t now) {
  rests_until_ = 0;
  if (!only_signals) return sent();
  if (on_) {
    if (messages < kSignalsPerRest) return sent();
  } else {
    if (counted_ == 0) counted_since_ = now;
    counted_ += messages;
    if (counted_ < kSignalsTimed) return;
    on_ = (now - counted_since_) * kSignalsPerRest < kSignalsTimed * kRestMicroseconds;
    counted_ = 0;
  }
  if (on_ && messages < kGulp) rests_until_ = now + kRestMicroseconds;
}

void SignalFlood::sent() {
  on_ = false;
  rests_until_ = 0;
  counted_ = 0;
}

}  // namespace busbar::transport
