// The pollers of one event loop that have a reason for a turn, in the order in which they got it.
//
// A round of the loop has time for some of them. The others keep their places, so that busy pollers take
// turns, and everything else that the loop serves is served between two rounds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace busbar::loop {

// How long the turns of one round of the loop take before another one begins, in microseconds. The turn that
// crosses it is the last one.
inline constexpr uint64_t kRoundMicroseconds = 1000;

class Turns {
 private:
  struct Link {
    Link* previous = this;
    Link* next = this;

    bool is_alone() const { return next == this; }
    void unlink();
    void insert_before(Link& other);
    // Moves everything behind `other` to before this.
    void take_all(Link& other);
  };

 public:
  class Taker : private Link {
   public:
    bool is_waiting() const { return !is_alone(); }

   protected:
    Taker() = default;
    ~Taker() { unlink(); }
    Taker(const Taker&) = delete;
    Taker& operator=(const Taker&) = delete;

   private:
    friend class Turns;
    // May delete the taker.
    virtual void on_turn() = 0;
  };

  Turns() = default;
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  bool is_empty() const { return waiting_.is_alone(); }
  // Gives it a place at the end, if it has none.
  void add(Taker& taker);
  void remove(Taker& taker) { taker.unlink(); }
  // Runs a turn out of order.
  void run(Taker& taker) { taker.on_turn(); }
  // Runs one turn at least, and further ones until `ends`, a time of `monotonic_now`. A taker that is added
  // meanwhile has its turn in the next call.
  void run(uint64_t ends);

 private:
  Link waiting_;
};

}  // namespace busbar::loop
