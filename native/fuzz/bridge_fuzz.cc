// The bridge to sd-bus, in both directions, and held against the validator.
//
// Out: a message of ours goes through sd-bus and back, and arrives as it was; what the validator refuses, the
// bridge refuses. In: the same bytes come as if a peer had sent them, and whatever of them arrives is sound.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>

#include "fuzz/fuzz.h"
#include "sdbus/bridge_in.h"
#include "sdbus/bridge_out.h"
#include "sdbus/bus.h"
#include "wire/message.h"
#include "wire/validator.h"

using namespace busbar;
using namespace busbar::fuzz;
using inbox::Row;

namespace {

// The answer of a server to a client that sends all its lines at once, as sd-bus does.
constexpr std::string_view kWelcome = "DATA\r\nOK 00112233445566778899aabbccddeeff\r\nAGREE_UNIX_FD\r\n";

const sdbus::Library* library() {
  static const std::unique_ptr<sdbus::Library> opened = sdbus::Library::open();
  return opened.get();
}

// A client of sd-bus on a socketpair.
struct Peer {
  Peer() : bus(library()->api()) {
    int pair[2];
    HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    socket = pair[1];
    HOLDS(bus.start_fd(pair[0]) >= 0);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { ::close(socket); }

  void welcome() {
    HOLDS(::write(socket, kWelcome.data(), kWelcome.size()) == static_cast<ssize_t>(kWelcome.size()));
    sdbus::Message message;
    for (int step = 0; step < 100 && !bus.is_ready(); step++) HOLDS(bus.process(message) >= 0);
    HOLDS(bus.is_ready());
  }

  sdbus::Bus bus;
  int socket;
};

struct Batch {
  Batch() { inbox.begin({arena, rows, strings, fds, nullptr}); }

  std::vector<uint8_t> arena = std::vector<uint8_t>(size_t{16} * 1024);
  std::vector<int32_t> rows = std::vector<int32_t>(4 * inbox::kRowLength);
  std::vector<int32_t> strings = std::vector<int32_t>(size_t{32} * 3);
  std::vector<int32_t> fds = std::vector<int32_t>(64);
  inbox::Inbox inbox;

  Row row() const {
    Row row;
    std::memcpy(static_cast<void*>(&row), rows.data(), sizeof row);
    return row;
  }
  std::vector<uint8_t> body() const {
    if (inbox.has_large_body()) return {inbox.large_body().begin(), inbox.large_body().end()};
    const auto begin = arena.begin() + row().body_offset;
    return {begin, begin + row().body_length};
  }
  std::string string(int32_t id) const {
    for (size_t i = 0; i < static_cast<size_t>(inbox.new_strings()); i++) {
      const int32_t* entry = strings.data() + 3 * i;
      if (entry[0] != id) continue;
      HOLDS(static_cast<size_t>(entry[1] + entry[2]) <= arena.size());
      return {reinterpret_cast<const char*>(arena.data()) + entry[1], static_cast<size_t>(entry[2])};
    }
    return {};
  }
};

// A row without a fault has a body that the decoder may trust.
void check_row(const Batch& batch) {
  HOLDS(batch.inbox.count() == 1);
  const Row row = batch.row();
  HOLDS(row.type >= 1 && row.type <= 4);
  if (row.fault != 0) {
    HOLDS(row.body_length == 0 && row.fd_count == 0);
    return;
  }
  HOLDS(row.body_offset % 8 == 0);
  std::vector<uint8_t> body = batch.body();
  HOLDS(body.size() == static_cast<size_t>(row.body_length));
  const std::string signature = batch.string(row.signature);
  HOLDS(wire::Validator().validate(signature, body, false, static_cast<uint32_t>(row.fd_count)).is_sound());
}

void send(std::span<const uint8_t> bytes) {
  wire::Header header;
  // The transport refuses the other byte order before the bridge; nothing of ours is written so.
  if (!wire::read_header(bytes, header).is_sound() || header.swapped) return;
  static Peer peer;
  sdbus::Message message;
  const std::span<const uint8_t> body = bytes.subspan(header.body_offset, header.body_length);
  const sdbus::Api& api = library()->api();
  if (sdbus::build_message(api, peer.bus.get(), header, body, {}, message) < 0) return;
  std::vector<uint8_t> checked = copy_of(body);
  HOLDS(wire::Validator().validate(header.signature, checked, false, 0).is_sound());

  Batch batch;
  HOLDS(sdbus::store_message(api, message.get(), batch.inbox) == sdbus::Stored::kStored);
  check_row(batch);
  const Row row = batch.row();
  HOLDS(row.fault == 0 && row.type == header.type && static_cast<uint32_t>(row.serial) == header.serial);
  HOLDS(batch.body() == checked && batch.string(row.signature) == header.signature);
  HOLDS(batch.string(row.destination) == header.destination);
  if (header.type == wire::kMethodCall || header.type == wire::kSignal) {
    HOLDS(batch.string(row.path) == header.path && batch.string(row.member) == header.member);
    HOLDS(batch.string(row.interface) == header.interface);
  } else {
    HOLDS(static_cast<uint32_t>(row.reply_serial) == header.reply_serial);
  }
}

// What of the bytes sd-bus can act on. For a message that is not complete it makes room, up to 128 MiB, and
// waits. `is_broken` if there is something else than messages.
std::span<const uint8_t> complete(std::span<const uint8_t> bytes, bool& is_broken) {
  size_t at = 0;
  is_broken = false;
  while (at < bytes.size()) {
    wire::Frame frame;
    const wire::Verdict verdict = wire::read_frame(bytes.subspan(at), frame);
    is_broken = !verdict.is_sound() && verdict.rule != wire::Rule::kTruncated;
    if (is_broken) return bytes;
    if (!verdict.is_sound() || frame.message_length() > bytes.size() - at) break;
    at += frame.message_length();
  }
  return bytes.first(at);
}

void receive(std::span<const uint8_t> input) {
  bool is_broken;
  const std::span<const uint8_t> bytes = complete(input, is_broken);
  if (bytes.empty()) return;
  // Connecting takes ten times as long as an input does.
  static std::unique_ptr<Peer> peer;
  if (!peer) {
    peer = std::make_unique<Peer>();
    peer->welcome();
  }
  HOLDS(::write(peer->socket, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  bool is_drained = false;
  for (int step = 0; step < 1000 && !is_drained && peer->bus.is_open(); step++) {
    sdbus::Message message;
    const int r = peer->bus.process(message);
    is_drained = r <= 0;
    if (!message) continue;
    Batch batch;
    if (sdbus::store_message(library()->api(), message.get(), batch.inbox) != sdbus::Stored::kStored)
      continue;
    check_row(batch);
    batch.inbox.close_fds(0);
  }
  if (!is_drained || !peer->bus.is_open() || is_broken) peer.reset();
}

}  // namespace

extern "C" const char* busbar_fuzz_lacks() {
  return library() == nullptr ? "no sd-bus library is installed" : nullptr;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (const char* lack = busbar_fuzz_lacks()) {
    std::fprintf(stderr, "skipped: %s\n", lack);
    std::exit(0);
  }
  const std::vector<uint8_t> bytes = copy_of({data, size});
  send(bytes);
  receive(bytes);
  return 0;
}
