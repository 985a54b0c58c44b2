// Asks the kernel what kind of socket a descriptor is, and makes a JavaScript object of it.
#include "napi/socket_value.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <string>

namespace busbar {

namespace {

// The value of a number that the kernel tells of a socket, or -1 with `errno` set.
int option_of(int fd, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

// The name of a unix socket, which begins with a NUL where it is abstract; empty where it has none.
std::string name_of(const sockaddr_un& address, socklen_t length) {
  if (length <= offsetof(sockaddr_un, sun_path)) return {};
  std::string name(address.sun_path, length - offsetof(sockaddr_un, sun_path));
  // The length of a path may count its NUL, or not.
  if (name.front() != '\0') name.resize(name.find('\0') == std::string::npos ? name.size() : name.find('\0'));
  return name;
}

}  // namespace

Napi::Value socket_value(Napi::Env env, int fd) {
  const int type = option_of(fd, SO_TYPE);
  if (type < 0) return Napi::Number::New(env, -errno);
  sockaddr_storage address{}, peer{};
  socklen_t length = sizeof address, peer_length = sizeof peer;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return Napi::Number::New(env, -errno);
  std::string family = "other", name;
  char ip[INET6_ADDRSTRLEN] = "";
  uint16_t port = 0;
  if (address.ss_family == AF_UNIX) {
    family = "unix";
    name = name_of(reinterpret_cast<const sockaddr_un&>(address), length);
  } else if (address.ss_family == AF_INET) {
    const sockaddr_in& v4 = reinterpret_cast<const sockaddr_in&>(address);
    family = "ipv4";
    inet_ntop(AF_INET, &v4.sin_addr, ip, sizeof ip);
    port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const sockaddr_in6& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    family = "ipv6";
    inet_ntop(AF_INET6, &v6.sin6_addr, ip, sizeof ip);
    port = ntohs(v6.sin6_port);
  }
  Napi::Object value = Napi::Object::New(env);
  value.Set("family", Napi::String::New(env, family));
  value.Set("isStream", Napi::Boolean::New(env, type == SOCK_STREAM));
  value.Set("isListening", Napi::Boolean::New(env, option_of(fd, SO_ACCEPTCONN) == 1));
  value.Set("isConnected",
            Napi::Boolean::New(env, getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_length) == 0));
  value.Set("name", Napi::String::New(env, name));
  value.Set("ip", Napi::String::New(env, ip));
  value.Set("port", Napi::Number::New(env, port));
  return value;
}

}  // namespace busbar
