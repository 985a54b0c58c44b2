// Wire bytes → sd_bus_message → inbox, over a real sd-bus without a bus: a socketpair without a peer.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "check.h"
#include "inbox_fixture.h"
#include "message_bytes.h"
#include "sdbus/bridge_in.h"
#include "sdbus/bridge_out.h"
#include "sdbus/bus.h"

namespace busbar::test {

using inbox::Row;

struct Bridge : InboxFixture {
  explicit Bridge(size_t arena_size = 4096)
      : InboxFixture({.arena = arena_size, .rows = 16, .strings = 64, .fds = 16}) {
    library = sdbus::Library::open();
    if (library == nullptr) return;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) return;
    peer = pair[1];
    bus = std::make_unique<sdbus::Bus>(library->api());
    if (bus->start_fd(pair[0]) < 0) bus.reset();
  }
  ~Bridge() {
    if (peer >= 0) close(peer);
  }

  int build(const std::vector<uint8_t>& bytes, sdbus::Message& message,
            std::span<const int32_t> sent_fds = {}) {
    wire::Header header;
    if (!wire::read_header(bytes, header).is_sound()) return -EBADMSG;
    return sdbus::build_message(library->api(), bus->get(), header,
                                std::span(bytes).subspan(header.body_offset, header.body_length), sent_fds,
                                message);
  }

  // There and back again. The message's own bytes are gone when this returns.
  int round_trip(const std::vector<uint8_t>& bytes, std::span<const int32_t> sent_fds = {}) {
    sdbus::Message message;
    const int r = build(bytes, message, sent_fds);
    if (r < 0) return r;
    stored = sdbus::store_message(library->api(), message.get(), inbox);
    return 0;
  }

  std::string string(int32_t id) const {
    for (size_t i = 0; i < static_cast<size_t>(inbox.new_strings()); i++) {
      const int32_t* entry = strings.data() + 3 * i;
      if (entry[0] == id) {
        return std::string(reinterpret_cast<const char*>(arena.data()) + entry[1],
                           static_cast<size_t>(entry[2]));
      }
    }
    return "";
  }

  std::unique_ptr<sdbus::Library> library;
  std::unique_ptr<sdbus::Bus> bus;
  int peer = -1;
  sdbus::Stored stored = sdbus::Stored::kIgnored;
};

inline MessageFields signal_fields(std::string_view signature) {
  return {.type = 4, .serial = 3, .path = "/a/b", .interface = "a.b", .member = "C", .signature = signature};
}

}  // namespace busbar::test

#define REQUIRE_LIBRARY(bridge)                                            \
  if ((bridge).library == nullptr) SKIP("no sd-bus library is installed"); \
  REQUIRE((bridge).bus != nullptr)
