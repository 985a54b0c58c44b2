// One sd-bus connection, reduced to the needs of a transport. Owns the `sd_bus` and with it the socket.
//
// One filter takes every message before sd-bus does anything with it, and nothing else is registered. Without
// it sd-bus would answer calls of org.freedesktop.DBus.Peer itself, also those that a monitor only overhears:
// the bus disconnects monitors for that. sd-bus does not report the messages that it drops: those with a
// corrupt header, with a path over 64 KiB, with a signature of 255 bytes (which is valid), and calls and
// signals with a REPLY_SERIAL.
//
// Failures are negative errno values, as in sd-bus.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "sdbus/handles.h"
#include "wire/guid.h"

namespace busbar::sdbus {

class Bus {
 public:
  explicit Bus(const Api& api) : api_(&api) {}
  // The filter refers to this object.
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  // Before starting. As a client: authenticate without an identity. As a server: let such clients in.
  void set_anonymous(bool anonymous) { anonymous_ = anonymous; }

  // Begins to connect to a single server address; does not wait.
  int start(const char* address);
  // As `start`, over a connected socket that the bus takes ownership of.
  int start_fd(int fd) { return start_fd(UniqueFd(fd)); }
  int start_fd(UniqueFd socket);
  // As `start_fd`, in the role of the server. sd-bus lets in any client that claims the user id which the
  // kernel reports: the caller has to check before that the user may connect.
  int serve_fd(UniqueFd socket, const wire::Guid& guid);
  // Drops the connection and what is queued.
  void close() { handle_.reset(); }

  // Takes one step: timeouts, authentication, writing or reading. Returns 0 when nothing is left to do for
  // now, so it must be called until then; a step may yield a message.
  int process(Message& message);
  // Writes a sealed message, or queues what the kernel does not take.
  int send(sd_bus_message* message);

  // False from the moment the connection is lost, although sd-bus closes the socket only in the next step.
  bool is_open() const { return handle_ && api_->sd_bus_is_open(handle_.get()) > 0; }
  bool is_ready() const { return handle_ && api_->sd_bus_is_ready(handle_.get()) > 0; }
  bool can_send_fds() const { return handle_ && api_->sd_bus_can_send(handle_.get(), 'h') > 0; }
  uint64_t queued_writes() const;

  // The descriptor, the events and the deadline to wait for. All three change with every call into the bus.
  int fd() const;
  int events() const;
  // Microseconds of CLOCK_MONOTONIC.
  uint64_t deadline() const;

  const Api& api() const { return *api_; }
  sd_bus* get() const { return handle_.get(); }

 private:
  int create(BusHandle& handle);
  // Takes the socket, and begins.
  int adopt(BusHandle handle, UniqueFd socket);
  static int take(sd_bus_message* message, void* bus, sd_bus_error*);

  const Api* api_;
  bool anonymous_ = false;
  // The message that the filter took in the present step.
  Message taken_;
  BusHandle handle_;
};

}  // namespace busbar::sdbus
