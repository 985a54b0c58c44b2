// When resting begins and ends, in numbers.
#include "transport/gathering.h"

#include <algorithm>
#include <utility>

namespace busbar::transport {

namespace {

// More save little: a wake-up costs as much as some ten messages. And a socket is not called writable while
// more than a quarter of its buffer is used, which is forty small messages: a bus that has more to write
// would wait for us.
constexpr uint32_t kGatheredAtMost = 40;
// Fewer are not worth a rest, which costs some system calls as well.
constexpr uint32_t kGatheredAtLeast = 10;
constexpr uint64_t kLongestRest = 1000;
// In nanoseconds: in the longest rest as many gather as are worth it.
constexpr uint64_t kSlowest = kLongestRest * 1000 / kGatheredAtLeast;
// So many are timed before reading rests.
constexpr uint32_t kTimed = 64;

}  // namespace

void Gathering::read(int32_t messages, Kind kind, uint32_t waiting, uint64_t now) {
  const uint64_t elapsed = now - std::exchange(last_read_, now);
  rests_until_ = 0;
  const uint32_t wanted = kind == Kind::kSignals   ? kGatheredAtMost
                          : kind == Kind::kReplies ? std::min(kGatheredAtMost, waiting / 2)
                                                   : 0;
  // Timing begins here, or not at all.
  if (std::exchange(kind_, kind) != kind || wanted < kGatheredAtLeast) return stop();
  const uint32_t count = static_cast<uint32_t>(messages);
  if (per_message_ == 0) {
    messages_ += count;
    microseconds_ += elapsed;
    if (messages_ < kTimed) return;
    per_message_ = std::max<uint64_t>(microseconds_ * 1000 / messages_, 1);
    if (per_message_ > kSlowest) return stop();
  } else if (count < wanted / 2) {
    // They come more slowly now, or wait for us to read.
    return stop();
  }
  rests_until_ = now + std::min(wanted * per_message_ / 1000, kLongestRest);
}

void Gathering::sent() {
  if (kind_ != Kind::kReplies) stop();
}

void Gathering::hurry() {
  rests_until_ = 0;
  sent();
}

void Gathering::stop() {
  rests_until_ = 0;
  per_message_ = 0;
  messages_ = 0;
  microseconds_ = 0;
}

}  // namespace busbar::transport
