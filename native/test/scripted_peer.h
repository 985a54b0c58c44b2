// The other end of a connection, played by a test: a listening socket that answers the handshake as told, and
// sends bytes as they are.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace busbar::test {

class ScriptedPeer {
 public:
  ScriptedPeer() {
    // An abstract name that the kernel picks.
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t length = sizeof address.sun_family;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) < 0 || listen(listener_, 1) < 0)
      return;
    length = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    name_.assign(address.sun_path + 1, length - sizeof address.sun_family - 1);
  }
  ~ScriptedPeer() {
    if (listener_ >= 0) ::close(listener_);
    hang_up();
  }

  std::string address() const { return "unix:abstract=" + name_; }

  void accept() { socket_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); }
  void hang_up() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  // The bytes that the client has sent since.
  std::string receive() {
    std::string text;
    char buffer[65536];
    for (;;) {
      const ssize_t count = recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (count <= 0) return text;
      text.append(buffer, static_cast<size_t>(count));
    }
  }

  void send(std::string_view text) { ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  void send(std::span<const uint8_t> bytes) {
    send(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  // Sends what there is room for, and returns how many bytes that was.
  size_t offer(std::span<const uint8_t> bytes) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<size_t>(sent);
  }
  void send_with_fd(std::span<const uint8_t> bytes, int fd) {
    iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    sendmsg(socket_, &message, MSG_NOSIGNAL);
  }

 private:
  int listener_ = -1;
  int socket_ = -1;
  std::string name_;
};

}  // namespace busbar::test
