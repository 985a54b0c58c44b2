// A descriptor that a callback gets, until JavaScript takes it by making a connection of it or by closing it.
// If the environment ends in between, nothing else tells what is left to close.
#pragma once

namespace busbar {

class FdOffer {
 public:
  // Is the environment's `last` offer for as long as it lives: a callback may run the loop, and so be handed
  // another.
  FdOffer(FdOffer*& last, int fd) : last_(last), before_(last), fd_(fd) { last_ = this; }
  FdOffer(const FdOffer&) = delete;
  FdOffer& operator=(const FdOffer&) = delete;
  ~FdOffer() { last_ = before_; }

  static void take(FdOffer* last, int fd) {
    for (FdOffer* offer = last; offer != nullptr; offer = offer->before_) {
      if (offer->fd_ == fd) offer->fd_ = -1;
    }
  }
  bool is_taken() const { return fd_ < 0; }

 private:
  FdOffer*& last_;
  FdOffer* const before_;
  int fd_;
};

}  // namespace busbar
