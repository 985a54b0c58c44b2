// The poller for runtimes with an incomplete libuv: Bun ends the process on `uv_poll_init`, Deno stalls on
// the second event. A thread waits instead (`poll_thread`), for all pollers of the environment at once
// (`poll_set`), and a threadsafe function of Node-API wakes JavaScript (`napi/environment_thread`).
#pragma once

#include "loop/poll_set.h"
#include "loop/poller.h"

namespace busbar::loop {

class ThreadPoller final : public Poller, private Turns::Taker {
 public:
  // Null when there is no memory.
  static ThreadPoller* create(PollSet& set, Client& client);

  void watch(const Interest& interest) override;
  void ref() override;
  void unref() override;
  // The poller is gone when this returns.
  void close(std::function<void()> closed) override;
  // A threadsafe function calls within a callback scope of its own.
  bool has_outermost_scopes() const override { return false; }

 private:
  friend class PollSet;

  ThreadPoller(PollSet& set, Client& client) : set_(set), client_(client) {}
  ~ThreadPoller() = default;

  void on_turn() override { client_.on_poll(); }
  void watch_fd(int fd, uint32_t events);
  void watch_deadline(uint64_t deadline);
  void set_referenced(bool referenced);
  // As with uv_poll, a poller that waits for nothing does not keep the loop alive. A poller without a
  // descriptor waits for its deadline.
  bool keeps_alive() const { return referenced_ && (armed_ != 0 || (fd_ < 0 && deadline_ != kNoDeadline)); }

  PollSet& set_;
  Client& client_;
  int fd_ = -1;
  // The events of epoll that are waited for; 0 when the descriptor is not in the set.
  uint32_t armed_ = 0;
  uint64_t deadline_ = kNoDeadline;
  bool referenced_ = true;
};

}  // namespace busbar::loop
