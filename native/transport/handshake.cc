// Connects the socket, and exchanges the lines of the authentication protocol over it without blocking.
#include "transport/handshake.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "transport/credentials.h"

namespace busbar::transport {

namespace {

// More than a real handshake needs.
constexpr size_t kReceiveLength = 4096;
// A unix socket whose queue of clients is full refuses to connect, and no event tells when it has room again.
constexpr uint64_t kRetryMicroseconds = 10'000;

// Only unix sockets carry descriptors.
bool is_unix(int fd) {
  int domain = 0;
  socklen_t length = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX;
}

bool is_later(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

std::string it_said(const std::string& line) { return "it said \"" + line + '"'; }

}  // namespace

int Handshake::start() {
  if (endpoint_.socket) {
    send_at_once(fd());
    if (endpoint_.role == Role::kNone) {
      phase_ = Phase::kOpen;
    } else {
      begin_authenticating();
    }
    return 0;
  }
  endpoint_.role = Role::kClient;
  const int fd = make_socket(endpoint_.target);
  if (fd < 0) return -fd;
  endpoint_.socket.reset(fd);
  send_at_once(fd);
  return connect();
}

int Handshake::connect() {
  retry_at_ = 0;
  int result;
  do {
    result = ::connect(fd(), endpoint_.target.get(), endpoint_.target.length);
  } while (result < 0 && errno == EINTR);
  if (result == 0) {
    begin_authenticating();
  } else if (is_later(errno)) {
    retry_at_ = monotonic_now() + kRetryMicroseconds;
  } else if (errno != EINPROGRESS && errno != EALREADY) {
    return errno;
  }
  return 0;
}

void Handshake::finish_connecting() {
  if (retry_at_ != 0) {
    const int error = retry_at_ <= monotonic_now() ? connect() : 0;
    if (error != 0) lose(error);
    return;
  }
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) return lose(error);
  sockaddr_storage peer{};
  length = sizeof peer;
  if (getpeername(fd(), reinterpret_cast<sockaddr*>(&peer), &length) == 0) begin_authenticating();
}

void Handshake::begin_authenticating() {
  phase_ = Phase::kAuthenticate;
  if (endpoint_.role == Role::kClient) {
    std::unique_ptr<wire::SaslClient> made = client();
    client_ = made.get();
    exchange_ = std::move(made);
  } else {
    exchange_ = server();
  }
  write();
}

std::unique_ptr<wire::SaslClient> Handshake::client() const {
  return std::make_unique<wire::SaslClient>(wire::SaslClient::Options{.uid = geteuid(),
                                                                      .is_bus = endpoint_.is_bus,
                                                                      .anonymous = endpoint_.anonymous,
                                                                      .fds = is_unix(fd()),
                                                                      .guid = endpoint_.guid});
}

std::unique_ptr<wire::SaslExchange> Handshake::server() const {
  wire::SaslServer::Options options{
      .anonymous = endpoint_.anonymous, .fds = is_unix(fd()), .guid = endpoint_.guid.value_or(wire::Guid{})};
  if (const std::optional<Credentials> client = peer_credentials(fd())) options.uid = client->uid;
  return std::make_unique<wire::SaslServer>(options);
}

Progress Handshake::open() {
  Progress progress;
  if (fd() < 0) return progress;
  if (phase_ == Phase::kConnect && !loss_) finish_connecting();
  if (phase_ == Phase::kAuthenticate && !loss_) authenticate();
  progress.lost = loss_;
  progress.opened = phase_ == Phase::kOpen && !loss_;
  return progress;
}

std::unique_ptr<SocketStream> Handshake::take_over() {
  auto stream = std::make_unique<SocketStream>(fd(), can_send_fds());
  stream->adopt(rest_, fds_);
  forget_rest();
  return stream;
}

void Handshake::authenticate() {
  write();
  // Nothing but messages comes behind the last line, and they are not read here.
  while (!exchange_->is_done() && receive()) write();
  // The first message must not overtake the last line.
  if (!loss_ && exchange_->is_done() && output_.empty()) phase_ = Phase::kOpen;
}

bool Handshake::receive() {
  uint8_t buffer[kReceiveLength];
  alignas(cmsghdr) char control[FdQueue::kControlLength];
  iovec part{buffer, sizeof buffer};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t received;
  do {
    received = recvmsg(fd(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0 && is_later(errno)) {
    if (write_error_ != 0) lose(write_error_, account());
    return false;
  }
  if (received <= 0) {
    // A clean end of the stream is a loss too: only this side closes connections in good order.
    const int error = received == 0 ? ECONNRESET : errno;
    lose(error, account());
    return false;
  }
  has_heard_ = true;
  fds_.add(message);
  const size_t taken = exchange_->receive({buffer, static_cast<size_t>(received)});
  const wire::SaslFailure failure = exchange_->failure();
  if (failure != wire::SaslFailure::kNone) {
    // The other side hears of the failure before the connection is closed.
    write();
    fail(failure);
    return false;
  }
  if (exchange_->is_done()) {
    rest_.assign(buffer + taken, buffer + received);
  } else if (fds_.size() > 0) {
    lose(EBADMSG, "descriptors must not come before the first message");
  }
  return !loss_;
}

void Handshake::write() {
  output_ += exchange_->take_output();
  while (!output_.empty() && write_error_ == 0) {
    const ssize_t written = ::send(fd(), output_.data(), output_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written >= 0) {
      output_.erase(0, static_cast<size_t>(written));
    } else if (errno != EINTR) {
      if (is_later(errno)) return;
      write_error_ = errno == EPIPE ? ECONNRESET : errno;
    }
  }
  if (write_error_ != 0) output_.clear();
}

void Handshake::fail(wire::SaslFailure failure) {
  if (failure == wire::SaslFailure::kRejected) return lose(EACCES, client_->mechanisms());
  std::string detail(wire::describe(failure));
  if (client_ != nullptr) detail += "; " + it_said(exchange_->last_heard());
  lose(failure == wire::SaslFailure::kOtherServer ? EPERM : EBADMSG, detail);
}

std::string Handshake::account() const {
  if (client_ == nullptr) return {};
  if (!has_heard_) return "it closed the connection without an answer";
  if (!client_->nonsense().empty()) return "it is not a D-Bus server: " + it_said(client_->nonsense());
  return "it closed the connection after " + it_said(client_->last_heard());
}

void Handshake::lose(int error, std::string_view detail) {
  if (!loss_) loss_ = Loss{error, phase_, std::string(detail)};
}

Wants Handshake::wants() {
  Wants wants;
  wants.fd = fd();
  if (loss_ || (exchange_ == nullptr && phase_ == Phase::kOpen)) {
    wants.deadline = 0;
  } else if (retry_at_ != 0) {
    wants.deadline = retry_at_;
  } else {
    wants.readable = phase_ == Phase::kAuthenticate && !exchange_->is_done();
    wants.writable = phase_ == Phase::kConnect || !output_.empty();
    // The answer cannot be written, but the bytes of the other side have not been read completely.
    if (write_error_ != 0) wants.deadline = 0;
  }
  return wants;
}

bool Handshake::can_send_fds() const {
  if (phase_ != Phase::kOpen) return false;
  return exchange_ == nullptr ? is_unix(fd()) : exchange_->passes_fds();
}

void Handshake::close() {
  forget_rest();
  endpoint_.socket.reset();
}

void Handshake::forget_rest() {
  rest_ = {};
  fds_.close_all();
}

}  // namespace busbar::transport
