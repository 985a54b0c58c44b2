// Waits for a descriptor or a deadline, on behalf of one connection.
//
// All methods belong to the thread of the environment, and so does `on_poll`. Interest is level-triggered:
// `on_poll` comes again for as long as what was asked for holds, so a client may leave work for the next turn
// of the loop.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"

namespace busbar::loop {

class Poller {
 public:
  class Client {
   public:
    // The descriptor is ready or in error, or the deadline has passed: the client finds out by itself.
    virtual void on_poll() = 0;

   protected:
    ~Client() = default;
  };

  struct Interest {
    int fd = -1;
    bool readable = false;
    bool writable = false;
    // Whether the other side closes, or writes no more. Reading tells that as well.
    bool hangup = false;
    // Absolute microseconds of CLOCK_MONOTONIC, kNoDeadline for never. 0 is the next round of the loop, after
    // timers and the I/O of others have had their turn.
    uint64_t deadline = kNoDeadline;
  };

  // Waits for `interest`, in place of what was asked for before.
  virtual void watch(const Interest& interest) = 0;
  // Whether waiting keeps the event loop alive. It does at first.
  virtual void ref() = 0;
  virtual void unref() = 0;
  // Stops at once: `on_poll` does not come again, and the descriptor may be closed. The poller deletes itself
  // when the loop has let go of it, which may be later, and calls `closed` then.
  virtual void close(std::function<void()> closed) = 0;
  // Whether a callback scope that is opened in `on_poll` is the outermost one, so that what awaits runs when
  // it closes. Otherwise that runs after `on_poll`, and a client that has more to say must ask for another
  // turn.
  virtual bool has_outermost_scopes() const = 0;

 protected:
  // Never deleted through this class.
  ~Poller() = default;
};

}  // namespace busbar::loop
