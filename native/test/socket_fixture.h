// Both ends of a connected socket: one for the code under test, one for the test.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "check.h"
#include "inbox_fixture.h"
#include "message_bytes.h"

namespace busbar::test {

struct SocketPair {
  SocketPair() {
    int fds[2] = {-1, -1};
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
    ours = fds[0];
    theirs = fds[1];
  }
  ~SocketPair() {
    ::close(ours);
    hang_up();
  }

  void send(std::span<const uint8_t> bytes, std::span<const int> fds = {}) {
    iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(253 * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(fds.size_bytes());
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(fds.size_bytes());
      std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    CHECK(sendmsg(theirs, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(bytes.size()));
  }

  // What arrived at the test's end since, at most `limit` bytes; descriptors are added to `fds`.
  std::vector<uint8_t> receive(std::vector<int>* fds = nullptr, size_t limit = SIZE_MAX) {
    std::vector<uint8_t> bytes;
    std::vector<uint8_t> buffer(65536);
    while (bytes.size() < limit) {
      iovec part{buffer.data(), std::min(buffer.size(), limit - bytes.size())};
      alignas(cmsghdr) char control[CMSG_SPACE(253 * sizeof(int))];
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      const ssize_t count = recvmsg(theirs, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (count <= 0) break;
      bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + count);
      const cmsghdr* header = CMSG_FIRSTHDR(&message);
      if (header == nullptr || fds == nullptr) continue;
      const size_t fd_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      const int* first = reinterpret_cast<const int*>(CMSG_DATA(header));
      fds->insert(fds->end(), first, first + fd_count);
    }
    return bytes;
  }

  void hang_up() {
    if (theirs >= 0) ::close(theirs);
    theirs = -1;
  }

  int ours;
  int theirs;
};

inline std::vector<uint8_t> signal_bytes(std::string_view signature, const Bytes& body, uint32_t serial = 3,
                                         uint32_t fds = 0) {
  return message_bytes({.type = 4,
                        .serial = serial,
                        .unix_fds = fds,
                        .path = "/a",
                        .interface = "a.b",
                        .member = "C",
                        .signature = signature},
                       body);
}

}  // namespace busbar::test
