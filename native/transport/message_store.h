// A received message → a row of the inbox: names checked and interned, body validated, descriptors attached.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "inbox/inbox.h"
#include "transport/fd_queue.h"
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
    // What it breaks is more than itself: `verdict` tells the rule.
    kBroken,
  };

  // Stores the message that `received` begins with, its body copied to the inbox. The inbox must not be full.
  [[nodiscard]] Stored store(std::span<const uint8_t> received, const wire::Frame& frame,
                             inbox::Inbox& inbox);
  // Stores the message whose header, padding included, is `header`, and whose body has memory of its own.
  // `following` bytes were received behind it.
  [[nodiscard]] Stored store_large(std::span<const uint8_t> header, const wire::Frame& frame,
                                   wire::Writer& body, size_t following, inbox::Inbox& inbox);

  // Stores what is known of a message whose header is larger than a whole message may be: its fixed part.
  [[nodiscard]] Stored store_unread(std::span<const uint8_t> fixed, const wire::Frame& frame,
                                    size_t following, inbox::Inbox& inbox);

  wire::Verdict verdict() const { return verdict_; }
  FdQueue& fds() { return fds_; }

 private:
  // A string of a header that no batch has room for, and where its id belongs.
  struct LongName {
    std::string_view text;
    int32_t* id;
  };

  Stored broken(wire::Verdict verdict);
  // Reads the header into `header_`, and what the row has of it. The row's type stays 0 if the message is to
  // be ignored. What breaks a rule of headers is a fault of the row: the frame tells where it ends.
  Stored begin(std::span<const uint8_t> bytes, const wire::Frame& frame, size_t following,
               inbox::Inbox& inbox, inbox::Row& row);
  // The same for a header that came before. False if it did not.
  bool begin_known(std::span<const uint8_t> bytes, const wire::Frame& frame, inbox::Inbox& inbox,
                   inbox::Row& row);
  // Whether the descriptors that wait can be told apart by message.
  Stored check_fds(size_t following);
  Stored add_names(wire::Rule& broken, inbox::Inbox& inbox, inbox::Row& row);
  Stored ignore();
  Stored take_fds(inbox::Inbox& inbox, inbox::Row& row);
  void validate(std::span<uint8_t> body, inbox::Inbox& inbox, inbox::Row& row);
  Stored finish_large(wire::Writer& body, inbox::Inbox& inbox, inbox::Row& row);
  // A copy of a body with memory of its own, and room behind it for the long names.
  wire::Writer large_copy(std::span<const uint8_t> body) const;

  // The path, the interface, the member and the error name may all be too long.
  std::array<LongName, 4> long_names_;
  size_t long_name_count_ = 0;
  wire::Validator validator_;
  FdQueue fds_;
  wire::Header header_;
  wire::Verdict verdict_;
};

}  // namespace busbar::transport
