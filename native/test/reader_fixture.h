// A reader of one end of a connected socket, with an inbox for its messages.
#pragma once

#include <cerrno>
#include <string>

#include "socket_fixture.h"
#include "transport/socket_reader.h"

namespace busbar::test {

struct ReaderFixture : InboxFixture {
  explicit ReaderFixture(size_t arena_length = 65536, size_t row_count = 64)
      : InboxFixture({.arena = arena_length, .rows = row_count}), reader(sockets.ours) {}

  // Takes one batch, and returns how many messages it has.
  int32_t read() {
    begin_batch();
    reader.read(inbox);
    return inbox.count();
  }
  bool is_broken() const { return reader.end() && reader.end()->error == EBADMSG; }

  SocketPair sockets;
  transport::SocketReader reader;
};

inline std::string text_of(const transport::SocketReader& reader) {
  return reader.end() ? reader.end()->detail : "";
}

inline Bytes long_array(size_t length) {
  Bytes body;
  body.u32(static_cast<uint32_t>(length));
  for (size_t i = 0; i < length; i++) body.u8(static_cast<uint8_t>(i * 7));
  return body;
}

}  // namespace busbar::test
