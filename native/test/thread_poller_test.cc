// The thread, the set and the pollers together, as an environment has them, but with a pipe in place of the
// event loop: what the poll thread asks for is done when the test gets to it.
#include "loop/thread_poller.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.h"
#include "check.h"
#include "loop/poll_thread.h"

using busbar::monotonic_now;
using busbar::UniqueFd;
using namespace busbar::loop;

namespace {

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
  }
  void write_byte() const { CHECK(::write(write_end.get(), "x", 1) == 1); }
  void read_byte() const {
    char byte;
    CHECK(::read(read_end.get(), &byte, 1) == 1);
  }

  UniqueFd read_end, write_end;
};

// What EnvironmentThread is.
class Loop final : private PollThread::Waker, private PollSet::Owner {
 public:
  Loop() : set_(*this) { CHECK(set_.open() && thread_.start(set_.fd(), *this)); }
  ~Loop() {
    thread_.stop();
    set_.close();
  }

  PollSet& set() { return set_; }
  bool alive() const { return alive_; }
  bool emptied() const { return emptied_; }
  // Waits for the next request, and dispatches until `ends`. False if none came in time.
  bool turn(int milliseconds = 2000, uint64_t ends = UINT64_MAX) {
    pollfd asked{requests_.read_end.get(), POLLIN, 0};
    if (poll(&asked, 1, milliseconds) != 1) return false;
    requests_.read_byte();
    set_.dispatch(ends);
    if (!emptied_) thread_.rearm();
    return true;
  }

 private:
  void wake() override { requests_.write_byte(); }
  void dispatch_soon() override { requests_.write_byte(); }
  void keep_alive(bool wanted) override { alive_ = wanted; }
  void on_empty() override {
    emptied_ = true;
    thread_.stop();
    set_.close();
  }

  Pipe requests_;
  PollSet set_;
  PollThread thread_;
  bool alive_ = false;
  bool emptied_ = false;
};

struct Client final : Poller::Client {
  explicit Client(Loop& loop) : poller(ThreadPoller::create(loop.set(), *this)) {}
  void on_poll() override {
    turns++;
    if (in_turn) in_turn();
  }
  void close() { std::exchange(poller, nullptr)->close({}); }

  Poller* poller;
  int turns = 0;
  std::function<void()> in_turn;
};

}  // namespace

TEST("a descriptor that stays ready has a turn each time, and one that is read has no more") {
  Loop loop;
  const Pipe pipe;
  Client client(loop);
  client.poller->watch({.fd = pipe.read_end.get(), .readable = true});
  CHECK(!loop.turn(20));
  pipe.write_byte();
  CHECK(loop.turn() && loop.turn() && loop.turn());
  CHECK(client.turns == 3);
  pipe.read_byte();
  // One alarm may have been under way.
  loop.turn(20);
  CHECK(!loop.turn(20));
  client.close();
}

TEST("a descriptor that is not dispatched rings once") {
  Loop loop;
  const Pipe pipe;
  Client client(loop);
  client.poller->watch({.fd = pipe.read_end.get(), .readable = true});
  pipe.write_byte();
  CHECK(loop.turn());
  usleep(20'000);
  pipe.read_byte();
  CHECK(loop.turn(20));
  CHECK(!loop.turn(20));
  client.close();
}

TEST("a request replaces the previous one") {
  Loop loop;
  const Pipe first, second;
  Client client(loop);
  client.poller->watch({.fd = first.read_end.get(), .readable = true});
  client.poller->watch({.fd = second.write_end.get(), .writable = true});
  first.write_byte();
  CHECK(loop.turn() && client.turns == 1);
  client.poller->watch({.fd = second.write_end.get()});
  loop.turn(20);
  CHECK(!loop.turn(20));
  client.close();
}

TEST("a hang-up does not cause turns while no events are requested") {
  Loop loop;
  Pipe pipe;
  Client client(loop);
  client.poller->watch({.fd = pipe.read_end.get(), .readable = true});
  client.poller->watch({.fd = pipe.read_end.get()});
  pipe.write_end.reset();
  CHECK(!loop.turn(20));
  client.poller->watch({.fd = pipe.read_end.get(), .readable = true});
  CHECK(loop.turn() && client.turns == 1);
  client.close();
}

TEST("a deadline is kept, not early, and the earliest of several comes first") {
  Loop loop;
  Client early(loop), late(loop);
  const uint64_t start = monotonic_now();
  std::vector<Client*> order;
  early.in_turn = [&] {
    order.push_back(&early);
    CHECK(monotonic_now() >= start + 10'000);
    early.poller->watch({});
  };
  late.in_turn = [&] {
    order.push_back(&late);
    CHECK(monotonic_now() >= start + 20'000);
    late.poller->watch({});
  };
  late.poller->watch({.deadline = start + 20'000});
  early.poller->watch({.deadline = start + 10'000});
  while (order.size() < 2 && loop.turn()) {
  }
  REQUIRE(order.size() == 2);
  CHECK(order[0] == &early && order[1] == &late);
  CHECK(!loop.turn(20));
  early.close();
  late.close();
}

TEST("a deadline of 0 is the next turn, and not the one under way") {
  Loop loop;
  Client client(loop);
  client.in_turn = [&] { client.poller->watch({.deadline = client.turns < 3 ? 0 : UINT64_MAX}); };
  client.poller->watch({.deadline = 0});
  CHECK(client.turns == 0);
  CHECK(loop.turn() && client.turns == 1);
  CHECK(loop.turn() && client.turns == 2);
  CHECK(loop.turn() && client.turns == 3);
  CHECK(!loop.turn(20));
  client.close();
}

TEST("a poller has one turn in a dispatch, whatever the reasons") {
  Loop loop;
  const Pipe pipe;
  Client client(loop);
  pipe.write_byte();
  client.poller->watch({.fd = pipe.read_end.get(), .readable = true, .deadline = 0});
  CHECK(loop.turn());
  CHECK(client.turns == 1);
  client.close();
}

TEST("a poller may be closed in a turn, its own or another's, and has none after that") {
  Loop loop;
  const Pipe pipe;
  Client keeper(loop), one(loop), other(loop);
  const auto close_both = [&] {
    if (one.poller != nullptr) one.close();
    if (other.poller != nullptr) other.close();
  };
  one.in_turn = close_both;
  other.in_turn = close_both;
  one.poller->watch({.fd = pipe.write_end.get(), .writable = true});
  const UniqueFd copy(fcntl(pipe.write_end.get(), F_DUPFD_CLOEXEC, 3));
  other.poller->watch({.fd = copy.get(), .writable = true});
  CHECK(loop.turn());
  CHECK(one.turns + other.turns == 1);
  CHECK(one.poller == nullptr && other.poller == nullptr);
  CHECK(!loop.emptied());
  keeper.close();
  CHECK(loop.emptied());
}

TEST("the last poller may be closed in its turn, which ends the thread") {
  Loop loop;
  const Pipe pipe;
  Client client(loop);
  client.in_turn = [&] { client.close(); };
  pipe.write_byte();
  client.poller->watch({.fd = pipe.read_end.get(), .readable = true});
  CHECK(loop.turn());
  CHECK(loop.emptied() && client.turns == 1);
}

TEST("a poller that waits keeps the loop alive, unless it is unreferenced") {
  Loop loop;
  const Pipe pipe;
  Client one(loop), other(loop);
  CHECK(!loop.alive());
  one.poller->watch({.fd = pipe.read_end.get(), .readable = true});
  CHECK(loop.alive());
  other.poller->unref();
  other.poller->watch({.fd = pipe.write_end.get(), .writable = true});
  one.poller->unref();
  CHECK(!loop.alive());
  other.poller->ref();
  CHECK(loop.alive());
  other.poller->watch({.fd = pipe.write_end.get()});
  CHECK(!loop.alive());
  one.poller->ref();
  one.close();
  CHECK(!loop.alive());
  other.close();
}

TEST("more pollers than one dispatch serves all have their turn") {
  Loop loop;
  const Pipe pipe;
  std::vector<UniqueFd> fds;
  std::vector<Client> clients;
  clients.reserve(200);
  int missing = 200;
  for (int i = 0; i < 200; i++) {
    fds.emplace_back(fcntl(pipe.write_end.get(), F_DUPFD_CLOEXEC, 3));
    Client& client = clients.emplace_back(loop);
    client.in_turn = [&missing, &client] {
      missing--;
      client.poller->watch({});
    };
    client.poller->watch({.fd = fds.back().get(), .writable = true});
  }
  while (missing > 0 && loop.turn()) {
  }
  CHECK(missing == 0);
  for (Client& client : clients) client.close();
}

TEST("busy pollers take turns where a dispatch has time for one, and none is left out") {
  Loop loop;
  const Pipe pipe;
  std::vector<UniqueFd> fds;
  std::vector<Client> clients;
  clients.reserve(100);
  for (int i = 0; i < 100; i++) {
    fds.emplace_back(fcntl(pipe.write_end.get(), F_DUPFD_CLOEXEC, 3));
    // Always ready.
    clients.emplace_back(loop).poller->watch({.fd = fds.back().get(), .writable = true});
  }
  for (int i = 0; i < 1000; i++) REQUIRE(loop.turn(2000, 0));
  for (const Client& client : clients) CHECK(client.turns >= 9 && client.turns <= 11);
  for (Client& client : clients) client.close();
}

TEST("turns for which a dispatch has no time are requested without another alarm") {
  Loop loop;
  Client one(loop), other(loop);
  one.poller->watch({.deadline = 0});
  other.poller->watch({.deadline = 0});
  one.in_turn = [&] { one.poller->watch({}); };
  other.in_turn = [&] { other.poller->watch({}); };
  CHECK(loop.turn(2000, 0) && one.turns == 1 && other.turns == 0);
  CHECK(loop.turn(2000, 0) && one.turns == 1 && other.turns == 1);
  loop.turn(20);
  CHECK(one.turns == 1 && other.turns == 1);
  one.close();
  other.close();
}

TEST("a postponed turn is not taken if the poller has stopped waiting") {
  Loop loop;
  const Pipe pipe;
  Client first(loop), paused(loop);
  const UniqueFd copy(fcntl(pipe.write_end.get(), F_DUPFD_CLOEXEC, 3));
  first.poller->watch({.fd = pipe.write_end.get(), .writable = true});
  paused.poller->watch({.fd = copy.get(), .writable = true});
  CHECK(loop.turn(2000, 0));
  Client& waiting = first.turns == 1 ? paused : first;
  Client& served = first.turns == 1 ? first : paused;
  waiting.poller->watch({.fd = (&waiting == &paused ? copy : pipe.write_end).get()});
  served.poller->watch({});
  while (loop.turn(20)) {
  }
  CHECK(waiting.turns == 0 && served.turns == 1);
  first.close();
  paused.close();
}
