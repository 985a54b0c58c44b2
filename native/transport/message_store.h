// A received message → a row of the inbox: names judged and interned, body validated, descriptors attached.
#pragma once

#include <span>

#include "transport/fd_queue.h"
#include "transport/inbox.h"
#include "wire/header.h"
#include "wire/validator.h"

namespace busbar::transport {

class MessageStore {
 public:
  enum class Stored {
    // It is in the inbox, or of a type that the specification says to ignore.
    kDone,
    // It does not fit what is left of the batch: deliver, clear, and store it again.
    kBatchFull,
    // Its header breaks a rule: `verdict` tells which.
    kBroken,
  };

  // Stores the message that `received` begins with, its body copied to the inbox. The inbox must not be full.
  [[nodiscard]] Stored store(std::span<const uint8_t> received, const wire::Frame& frame, Inbox& inbox);
  // Stores the message whose header, padding included, is `header`, and whose body has memory of its own.
  // `following` bytes were received behind it.
  [[nodiscard]] Stored store_large(std::span<const uint8_t> header, const wire::Frame& frame,
                                   wire::Writer& body, size_t following, Inbox& inbox);

  wire::Verdict verdict() const { return verdict_; }
  FdQueue& fds() { return fds_; }

 private:
  Stored broken(wire::Verdict verdict);
  // Reads the header into `header_`, and what the row has of it. The row's type stays 0 if the message is to
  // be ignored.
  Stored begin(std::span<const uint8_t> bytes, const wire::Frame& frame, size_t following, Inbox& inbox,
               Row& row);
  Stored add_names(std::span<const uint8_t> bytes, Inbox& inbox, Row& row);
  Stored ignore(std::span<const uint8_t> bytes);
  // Whether descriptors would be left that no message can claim any more.
  bool has_surplus_fds(size_t following) const { return following == 0 && fds_.size() > header_.unix_fds; }
  Stored take_fds(Inbox& inbox, Row& row);
  void validate(std::span<uint8_t> body, Inbox& inbox, Row& row);
  Stored finish_large(wire::Writer& body, Inbox& inbox, Row& row);

  wire::Validator validator_;
  FdQueue fds_;
  wire::Header header_;
  wire::Verdict verdict_;
};

}  // namespace busbar::transport
