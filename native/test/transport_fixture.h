// A transport connected to a peer that the test plays: no bus, no Node.js, no event loop.
#pragma once

#include <poll.h>

#include <memory>
#include <optional>

#include "check.h"
#include "inbox_fixture.h"
#include "message_bytes.h"
#include "scripted_peer.h"
#include "transport/sdbus_transport.h"

namespace busbar::test {

using inbox::Row;
using transport::Loss;
using transport::Phase;
using transport::Progress;

inline constexpr const char* kAgree = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n";

// A transport, its inbox, and the peer it is connected to.
struct Fixture : InboxFixture {
  Fixture() : InboxFixture({.fds = 64}) {
    library = sdbus::Library::open();
    if (library != nullptr) transport.emplace(library->api(), peer.address());
  }
  ~Fixture() {
    if (transport) transport->close();
  }

  // One round of an event loop: waits for a moment until the transport is ready, and lets it work.
  Progress turn(int milliseconds = 50) {
    const transport::Wants wants = transport->wants();
    if (wants.deadline != 0) {
      pollfd watched{wants.fd,
                     static_cast<short>((wants.readable ? POLLIN : 0) | (wants.writable ? POLLOUT : 0)), 0};
      ::poll(&watched, 1, milliseconds);
    }
    begin_batch();
    if (is_open) return transport->process(inbox);
    Progress progress = transport->open();
    is_open = progress.opened;
    return progress;
  }

  // Turns until the connection is open or lost.
  Progress settle() {
    for (int i = 0; i < 100; i++) {
      Progress progress = turn();
      if (progress.opened || progress.lost) return progress;
    }
    return {};
  }

  std::optional<Loss> settle_lost() {
    for (int i = 0; i < 100; i++) {
      const Progress progress = turn();
      if (progress.lost) return progress.lost;
    }
    return std::nullopt;
  }

  bool open(const char* answer = kAgree) {
    if (transport->start() != 0) return false;
    peer.accept();
    peer.send(std::string_view(answer));
    return settle().opened;
  }

  // Turns until messages have come, and returns the first one's row.
  std::optional<Row> receive() {
    for (int i = 0; i < 100; i++) {
      turn();
      if (inbox.count() > 0) return row(0);
    }
    return std::nullopt;
  }

  std::unique_ptr<sdbus::Library> library;
  ScriptedPeer peer;
  std::optional<transport::SdBusTransport> transport;
  bool is_open = false;
};

inline MessageFields signal_fields(std::string_view signature, bool big = false) {
  return {.type = 4,
          .serial = 3,
          .path = "/a",
          .interface = "a.b",
          .member = "C",
          .signature = signature,
          .big = big};
}

}  // namespace busbar::test

#define REQUIRE_LIBRARY(fixture) \
  if ((fixture).library == nullptr) SKIP("no sd-bus library is installed")
