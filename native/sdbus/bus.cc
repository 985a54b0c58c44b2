// Makes the calls of sd-bus that Bus stands for, and turns their results into errno values.
#include "sdbus/bus.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace busbar::sdbus {

int Bus::create(BusHandle& handle) {
  sd_bus* bus = nullptr;
  int r = api_->sd_bus_new(&bus);
  if (r < 0) return r;
  handle = BusHandle(bus, BusDeleter{api_});
  // Not a "bus client" to sd-bus: it would send Hello itself, and keep the reply.
  r = api_->sd_bus_set_bus_client(bus, 0);
  if (r < 0) return r;
  // Without a slot of ours the filter lives as long as the bus.
  r = api_->sd_bus_add_filter(bus, nullptr, take, this);
  if (r < 0) return r;
  r = api_->sd_bus_set_anonymous(bus, anonymous_ ? 1 : 0);
  if (r < 0) return r;
  return api_->sd_bus_negotiate_fds(bus, 1);
}

int Bus::take(sd_bus_message* message, void* data, sd_bus_error*) {
  Bus* bus = static_cast<Bus*>(data);
  bus->taken_ = own(*bus->api_, bus->api_->sd_bus_message_ref(message));
  // A positive result ends the processing of the message.
  return 1;
}

int Bus::start(const char* address) {
  BusHandle handle;
  int r = create(handle);
  if (r >= 0) r = api_->sd_bus_set_address(handle.get(), address);
  if (r >= 0) r = api_->sd_bus_start(handle.get());
  if (r >= 0) handle_ = std::move(handle);
  return r;
}

int Bus::start_fd(UniqueFd socket) {
  BusHandle handle;
  const int r = create(handle);
  return r < 0 ? r : adopt(std::move(handle), std::move(socket));
}

int Bus::serve_fd(UniqueFd socket, const wire::Guid& guid) {
  BusHandle handle;
  sd_id128 id;
  std::copy(guid.begin(), guid.end(), id.bytes);
  int r = create(handle);
  if (r >= 0) r = api_->sd_bus_set_server(handle.get(), 1, id);
  return r < 0 ? r : adopt(std::move(handle), std::move(socket));
}

int Bus::adopt(BusHandle handle, UniqueFd socket) {
  int r = api_->sd_bus_set_fd(handle.get(), socket.get(), socket.get());
  if (r < 0) return r;
  socket.release();
  r = api_->sd_bus_start(handle.get());
  if (r >= 0) handle_ = std::move(handle);
  return r;
}

int Bus::process(Message& message) {
  if (!handle_) return -ENOTCONN;
  // A step brings one message at most.
  const int r = api_->sd_bus_process(handle_.get(), nullptr);
  message = std::move(taken_);
  return r;
}

int Bus::send(sd_bus_message* message) {
  if (!handle_) return -ENOTCONN;
  return api_->sd_bus_send(handle_.get(), message, nullptr);
}

uint64_t Bus::queued_writes() const {
  uint64_t count = 0;
  if (!handle_ || api_->sd_bus_get_n_queued_write(handle_.get(), &count) < 0) return 0;
  return count;
}

int Bus::fd() const { return handle_ ? api_->sd_bus_get_fd(handle_.get()) : -ENOTCONN; }

int Bus::events() const { return handle_ ? api_->sd_bus_get_events(handle_.get()) : -ENOTCONN; }

uint64_t Bus::deadline() const {
  uint64_t deadline = kNoDeadline;
  if (!handle_ || api_->sd_bus_get_timeout(handle_.get(), &deadline) < 0) return kNoDeadline;
  return deadline;
}

}  // namespace busbar::sdbus
