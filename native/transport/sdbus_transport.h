// The reference transport: sd-bus connects, authenticates, reads and writes; messages are rebuilt on both
// sides. As the connector of a StreamTransport it connects and authenticates alone.
//
// A stream can take the socket over because nothing can be lost in sd-bus's buffer: a bus sends nothing
// before it is greeted, and the greeting is the first message that is sent here. sd-bus goes on to own the
// socket, but is not asked to process it again.
#pragma once

#include <deque>
#include <string>

#include "sdbus/bus.h"
#include "transport/connector.h"
#include "transport/endpoint.h"
#include "transport/message_queue.h"
#include "wire/header.h"

namespace busbar::transport {

class SdBusTransport final : public Connector {
 public:
  SdBusTransport(const sdbus::Api& api, Endpoint endpoint) : bus_(api), endpoint_(std::move(endpoint)) {}
  SdBusTransport(const sdbus::Api& api, std::string address)
      : SdBusTransport(api, Endpoint{.address = std::move(address)}) {}

  int start() override;
  // Nothing is read from the socket beyond the answers of the handshake, unless the other side spoke at once.
  Progress open() override;
  std::unique_ptr<SocketStream> take_over() override;
  Progress process(inbox::Inbox& inbox) override;
  Wants wants() override;
  void send(std::span<const uint8_t> bytes, std::span<const int32_t> fds,
            std::vector<Refusal>& refused) override;
  uint64_t pending_bytes() const override { return waiting_.bytes() + given_bytes_; }
  void write() override;
  void flush(uint32_t milliseconds) override;
  bool has_heard() const override { return has_heard_; }
  bool has_unread() override;
  Phase phase() const override { return phase_; }
  bool can_send_fds() const override { return bus_.can_send_fds(); }
  void close() override;

 private:
  enum class Step { kMessage, kAgain, kIdle, kLost };

  // One step of sd-bus; an error or a loss is in `loss_` afterwards.
  Step step(sdbus::Message& message);
  int begin();
  void lose(int error);
  // Learns how far connecting has come, and an error of the socket that sd-bus would swallow.
  void observe_connecting();
  // Sends a message, or has it wait. Returns 0 or a negative errno.
  int send_or_queue(const wire::Header& header, std::span<const uint8_t> message,
                    std::span<const int32_t> fds);
  // Gives a message to sd-bus, which must have room for it. Returns 0 or a negative errno.
  int pass_to_sdbus(const wire::Header& header, std::span<const uint8_t> message,
                    std::span<const int32_t> fds);
  // Whether a message may be given to sd-bus now; one with descriptors only if sd-bus writes it at once. If
  // the kernel refuses descriptors then, that costs one message; later it would end the connection.
  bool may_pass(bool with_fds);
  bool has_room(bool with_fds) const;
  // Whether the next message has descriptors that the kernel does not take yet.
  bool waits_for_socket() const;
  // Gives sd-bus what waits, as far as it has room.
  void feed();
  // Waits until the kernel takes something, and writes. False where there is nothing more to do.
  bool write_once(int milliseconds);
  // Learns what sd-bus has written.
  void account_writes();
  // Keeps a message that sd-bus read while it was only to write.
  void hold(sdbus::Message message);

  sdbus::Bus bus_;
  Endpoint endpoint_;
  Phase phase_ = Phase::kConnect;
  std::optional<Loss> loss_;
  // Messages taken from sd-bus that no batch had room for yet, in order.
  std::deque<sdbus::Message> held_;
  // The bytes of those that were read out of turn.
  size_t held_bytes_ = 0;
  // What sd-bus has no room for: its own queue takes so many messages however small they are, and each that
  // leaves it moves all the others.
  MessageQueue waiting_;
  // The sizes of the messages in sd-bus's queue, in order: it tells how many there are, not how large.
  std::deque<uint32_t> given_sizes_;
  uint64_t given_bytes_ = 0;
  // Messages that were refused, of which the owner was not told yet.
  std::vector<Refusal> refused_;
  // `pending_bytes` told the owner to wait.
  bool drain_awaited_ = false;
  // Everything was written since, and the owner was not told yet.
  bool drained_ = false;
  // Bytes that the other side sent together with the end of the handshake are in sd-bus's buffer, not in the
  // socket.
  bool unread_ = false;
  bool has_heard_ = false;
};

}  // namespace busbar::transport
