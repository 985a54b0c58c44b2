// The poller for Node.js and Electron: a uv_poll handle for the descriptor, and a uv_timer for the deadline.
#pragma once

#include "loop/poller.h"
#include "loop/uv_abi.h"

namespace busbar::loop {

class UvPoller final : public Poller {
 public:
  // Null when there is no memory, or no libuv in this runtime.
  static UvPoller* create(uv_loop_s* loop, Client& client);

  void watch(const Interest& interest) override;
  void ref() override;
  void unref() override;
  void close(std::function<void()> closed) override;
  bool has_outermost_scopes() const override { return true; }

 private:
  UvPoller(uv_loop_s* loop, Client& client) : loop_(loop), client_(&client) {}
  ~UvPoller() = default;

  uv_handle_s* allocate(int type);
  void watch_fd(int fd, int events);
  void watch_deadline(uint64_t deadline);
  // Begins to close a handle, which is freed in its close callback.
  void release(uv_handle_s*& handle);
  static void on_released(uv_handle_s* handle);
  static void on_ready(uv_handle_s* handle, int status, int events);
  static void on_timer(uv_handle_s* handle);

  uv_loop_s* loop_;
  // Null once closed.
  Client* client_;
  uv_handle_s* poll_ = nullptr;
  uv_handle_s* timer_ = nullptr;
  int fd_ = -1;
  // The events that the poll handle is started for; 0 when it is stopped.
  int armed_ = 0;
  // Handles that libuv knows, closing ones included.
  int handles_ = 0;
  bool referenced_ = true;
  std::function<void()> closed_;
};

}  // namespace busbar::loop
