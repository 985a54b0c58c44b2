// What comes before the first message, without sd-bus: connects a socket, or takes one that was accepted, and
// has both sides agree on who the client is. It owns the socket for as long as the connection lasts.
//
// The other side may send messages right behind its last line. What was read of them, bytes and descriptors,
// is here for whoever goes on reading.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "transport/endpoint.h"
#include "transport/fd_queue.h"
#include "transport/transport.h"
#include "wire/sasl.h"

namespace busbar::transport {

class Handshake {
 public:
  explicit Handshake(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  // Begins. Returns 0 or a positive errno.
  int start();
  // Goes as far as is possible without blocking.
  void step();
  bool is_done() const { return phase_ == Phase::kOpen; }
  // Whether a byte of the other side was read.
  bool has_heard() const { return has_heard_; }
  const std::optional<Loss>& loss() const { return loss_; }
  // Until it is done, or lost.
  Wants wants() const;
  Phase phase() const { return phase_; }
  bool can_send_fds() const { return is_done() && exchange_->passes_fds(); }

  int fd() const { return endpoint_.socket.get(); }
  // What came behind the last line.
  std::span<const uint8_t> rest() const { return rest_; }
  FdQueue& fds() { return fds_; }
  // Lets go of both.
  void forget_rest();

  void close();

 private:
  int connect();
  void finish_connecting();
  void begin_authenticating();
  std::unique_ptr<wire::SaslClient> client() const;
  std::unique_ptr<wire::SaslExchange> server() const;
  void authenticate();
  // False when nothing more is to be read for now.
  bool receive();
  void write();
  void lose(int error, std::string_view detail = {});
  void fail(wire::SaslFailure failure);
  // What a client knows of a server that hung up; empty on the server's side.
  std::string account() const;

  Endpoint endpoint_;
  Phase phase_ = Phase::kConnect;
  // When to try again to connect; 0 if that is going on.
  uint64_t retry_at_ = 0;
  std::unique_ptr<wire::SaslExchange> exchange_;
  // The same, in the role of the client.
  const wire::SaslClient* client_ = nullptr;
  std::string output_;
  // Errno, positive, if nothing can be written any more. What the other side said before may still be read.
  int write_error_ = 0;
  bool has_heard_ = false;
  std::vector<uint8_t> rest_;
  FdQueue fds_;
  std::optional<Loss> loss_;
};

}  // namespace busbar::transport
