// Keeps the takers in a circular list of which they are the links, so that adding and removing allocate
// nothing.
#include "loop/turns.h"

#include "base/clock.h"

namespace busbar::loop {

void Turns::Link::unlink() {
  previous->next = next;
  next->previous = previous;
  previous = next = this;
}

void Turns::Link::insert_before(Link& other) {
  previous = other.previous;
  next = &other;
  previous->next = this;
  other.previous = this;
}

void Turns::Link::take_all(Link& other) {
  if (other.is_alone()) return;
  other.next->previous = previous;
  previous->next = other.next;
  other.previous->next = this;
  previous = other.previous;
  other.previous = other.next = &other;
}

void Turns::add(Taker& taker) {
  if (!taker.is_waiting()) taker.insert_before(waiting_);
}

void Turns::run(uint64_t ends) {
  Link round;
  round.take_all(waiting_);
  while (!round.is_alone()) {
    Link* const first = round.next;
    first->unlink();
    static_cast<Taker*>(first)->on_turn();
    if (monotonic_now() >= ends) break;
  }
  // Takers that had no turn come before takers that have asked for another one.
  round.take_all(waiting_);
  waiting_.take_all(round);
}

}  // namespace busbar::loop
