// The connector without sd-bus: connects a socket, or takes one that is connected, and authenticates. It is
// that of peers, both of clients and of servers, of sockets that the program passes, and of buses where there
// is no sd-bus library, or where sd-bus is rejected.
//
// The other side may send messages right behind its last line. What was read of them, bytes and descriptors,
// goes to the stream. sd-bus would keep it in its own buffers, so no stream can take over from it with a
// peer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/connector.h"
#include "transport/endpoint.h"
#include "transport/fd_queue.h"
#include "wire/sasl.h"

namespace busbar::transport {

class Handshake final : public Connector {
 public:
  explicit Handshake(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  int start() override;
  Progress open() override;
  std::unique_ptr<SocketStream> take_over() override;
  // Writes the lines that wait.
  void write() override;
  Wants wants() override;
  bool has_heard() const override { return has_heard_; }
  Phase phase() const override { return phase_; }
  bool can_send_fds() const override;
  void close() override;

 private:
  int fd() const { return endpoint_.socket.get(); }
  int connect();
  void finish_connecting();
  void begin_authenticating();
  std::unique_ptr<wire::SaslClient> client() const;
  std::unique_ptr<wire::SaslExchange> server() const;
  void authenticate();
  // False when nothing more is to be read for now.
  bool receive();
  void lose(int error, std::string_view detail = {});
  void fail(wire::SaslFailure failure);
  // A client's information about a server that hung up; empty on the server's side.
  std::string account() const;
  void forget_rest();

  Endpoint endpoint_;
  Phase phase_ = Phase::kConnect;
  // The time of the next attempt to connect; 0 while an attempt is in progress.
  uint64_t retry_at_ = 0;
  // None where both ends agree already.
  std::unique_ptr<wire::SaslExchange> exchange_;
  // The same, in the role of the client.
  const wire::SaslClient* client_ = nullptr;
  std::string output_;
  // A positive errno if nothing more can be written. Earlier bytes of the other side can still be read.
  int write_error_ = 0;
  // A byte of the other side was read.
  bool has_heard_ = false;
  // The bytes and descriptors after the last line, which belong to messages.
  std::vector<uint8_t> rest_;
  FdQueue fds_;
  std::optional<Loss> loss_;
};

}  // namespace busbar::transport
