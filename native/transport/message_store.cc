// Stores a message as a whole or not at all: the steps that may find the batch full come before those that
// cannot be undone.
#include "transport/message_store.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace busbar::transport {

using inbox::Fault;
using inbox::fault_code;
using inbox::Inbox;
using inbox::Row;
using wire::Name;
using wire::Rule;

namespace {

// Of a faulty message the inbox takes the header alone.
void set_fault(Row& row, Fault fault, Rule rule = Rule::kNone) {
  row.fault = fault_code(fault, rule);
  row.body_offset = row.body_length = 0;
}

size_t aligned(size_t length) { return (length + 7) & ~size_t{7}; }

}  // namespace

MessageStore::Stored MessageStore::store(std::span<const uint8_t> received, const wire::Frame& frame,
                                         Inbox& inbox) {
  const std::span<const uint8_t> bytes = received.first(frame.message_length());
  Row row;
  Stored stored = begin(bytes, frame, received.size() - bytes.size(), inbox, row);
  if (stored != Stored::kDone || row.type == 0) return stored;
  const std::span<const uint8_t> body = bytes.subspan(frame.body_offset);
  const std::span<uint8_t> space = inbox.body_space();
  if (long_name_count_ > 0 || (body.size() > space.size() && row.fault == 0)) {
    if (!inbox.is_empty()) return Stored::kBatchFull;
    wire::Writer copy = large_copy(row.fault == 0 ? body : body.first(0));
    return finish_large(copy, inbox, row);
  }
  stored = take_fds(inbox, row);
  if (stored != Stored::kDone) return stored;
  if (row.fault == 0 && !body.empty()) {
    std::memcpy(space.data(), body.data(), body.size());
    row.body_offset = inbox.body_offset();
    row.body_length = static_cast<int32_t>(body.size());
  }
  if (row.fault == 0) validate(space.first(body.size()), inbox, row);
  inbox.commit(row);
  return Stored::kDone;
}

MessageStore::Stored MessageStore::store_large(std::span<const uint8_t> header, const wire::Frame& frame,
                                               wire::Writer& body, size_t following, Inbox& inbox) {
  if (!inbox.is_empty()) return Stored::kBatchFull;
  Row row;
  const Stored stored = begin(header, frame, following, inbox, row);
  if (stored != Stored::kDone || row.type == 0) return stored;
  if (long_name_count_ == 0) return finish_large(body, inbox, row);
  wire::Writer copy = large_copy(row.fault == 0 ? body.bytes() : std::span<const uint8_t>{});
  return finish_large(copy, inbox, row);
}

MessageStore::Stored MessageStore::store_unread(std::span<const uint8_t> fixed, const wire::Frame& frame,
                                                size_t following, Inbox& inbox) {
  header_ = {};
  header_.type = fixed[1];
  header_.is_whole = false;
  const Stored stored = check_fds(following);
  if (stored != Stored::kDone || header_.type > wire::kSignal) return stored;
  Row row;
  row.type = header_.type;
  // Its sender and its destination are not known, so it cannot be answered.
  row.flags = fixed[2] | wire::kNoReplyExpected;
  row.serial = static_cast<int32_t>(frame.serial);
  set_fault(row, Fault::kMessageSize);
  inbox.commit(row);
  return Stored::kDone;
}

wire::Writer MessageStore::large_copy(std::span<const uint8_t> body) const {
  size_t length = long_name_count_ > 0 ? aligned(body.size()) : body.size();
  for (const LongName& name : std::span(long_names_).first(long_name_count_)) length += name.text.size();
  wire::Writer copy = wire::Writer::filled(length);
  if (!copy.space().empty() && !body.empty()) std::memcpy(copy.space().data(), body.data(), body.size());
  return copy;
}

MessageStore::Stored MessageStore::finish_large(wire::Writer& body, Inbox& inbox, Row& row) {
  const Stored stored = take_fds(inbox, row);
  if (stored != Stored::kDone) return stored;
  const bool has_memory = body.state() == wire::Writer::State::kGood;
  if (row.fault == 0 && !has_memory) {
    for (const int fd : inbox.fd_space().first(static_cast<size_t>(row.fd_count))) ::close(fd);
    row.fd_count = 0;
    set_fault(row, Fault::kOutOfMemory);
  }
  const size_t length = row.fault == 0 ? header_.body_length : 0;
  if (row.fault == 0) {
    row.body_length = static_cast<int32_t>(length);
    validate(body.space().first(length), inbox, row);
  }
  if (has_memory) {
    size_t offset = aligned(length);
    for (const LongName& name : std::span(long_names_).first(long_name_count_)) {
      std::memcpy(body.space().data() + offset, name.text.data(), name.text.size());
      *name.id = inbox.add_long_name(name.text, offset);
      offset += name.text.size();
    }
  }
  if (has_memory && body.size() > 0 && (row.fault == 0 || long_name_count_ > 0)) {
    inbox.commit_large(row, std::move(body));
  } else {
    inbox.commit(row);
  }
  return Stored::kDone;
}

MessageStore::Stored MessageStore::broken(wire::Verdict verdict) {
  verdict_ = verdict;
  return Stored::kBroken;
}

MessageStore::Stored MessageStore::begin(std::span<const uint8_t> bytes, const wire::Frame& frame,
                                         size_t following, Inbox& inbox, Row& row) {
  if (begin_known(bytes, frame, inbox, row)) {
    const Stored stored = check_fds(following);
    if (stored == Stored::kDone && frame.message_length() > inbox.limits().message_size)
      set_fault(row, Fault::kMessageSize);
    return stored;
  }
  const wire::Verdict parsed = wire::parse_header(bytes, frame, header_);
  Stored stored = check_fds(following);
  if (stored != Stored::kDone) return stored;
  if (header_.type > wire::kSignal) return ignore();
  row.type = header_.type;
  row.flags = header_.flags;
  row.serial = static_cast<int32_t>(header_.serial);
  // Of no meaning on calls and signals: "unexpected header fields must be ignored".
  if (row.type == wire::kMethodReturn || row.type == wire::kError) {
    row.reply_serial = static_cast<int32_t>(header_.reply_serial);
  }
  Rule rule = parsed.rule;
  stored = add_names(rule, inbox, row);
  if (stored != Stored::kDone) return stored;
  if (rule == Rule::kNone && fds_.refuses() && header_.unix_fds > 0) rule = Rule::kFdsUnasked;
  if (rule != Rule::kNone) {
    set_fault(row, Fault::kInvalidHeader, rule);
    // An answer would have no destination.
    if (!header_.is_addressed) row.flags |= wire::kNoReplyExpected;
  } else if (frame.message_length() > inbox.limits().message_size) {
    set_fault(row, Fault::kMessageSize);
  }
  if (rule == Rule::kNone && long_name_count_ == 0) inbox.keep_header(bytes, frame, header_, row);
  return Stored::kDone;
}

bool MessageStore::begin_known(std::span<const uint8_t> bytes, const wire::Frame& frame, Inbox& inbox,
                               Row& row) {
  const inbox::RecentHeaders::Entry* known = inbox.add_known_header(bytes, frame, row);
  if (known == nullptr) return false;
  row.serial = static_cast<int32_t>(frame.serial);
  if (row.type == wire::kMethodReturn || row.type == wire::kError)
    std::memcpy(&row.reply_serial, bytes.data() + known->reply_serial_at, sizeof row.reply_serial);
  // The strings are in the row; what else is read of a header from here on is this.
  header_.type = bytes[1];
  header_.unix_fds = 0;
  header_.is_whole = true;
  header_.swapped = false;
  header_.body_length = frame.body_length;
  header_.signature = {reinterpret_cast<const char*>(bytes.data()) + known->signature_at,
                       known->signature_length};
  long_name_count_ = 0;
  return true;
}

MessageStore::Stored MessageStore::check_fds(size_t following) {
  if (fds_.refuses()) return Stored::kDone;
  if (!header_.is_whole) {
    if (fds_.size() > 0) return broken({Rule::kFdsUnknown, 0});
    header_.unix_fds = 0;
  }
  // Descriptors would be left that no message can claim any more.
  if (following == 0 && fds_.size() > header_.unix_fds) return broken({Rule::kFdCount, 0});
  return Stored::kDone;
}

// Adds the sender and the destination first: nothing that is longer takes their room.
MessageStore::Stored MessageStore::add_names(wire::Rule& broken, Inbox& inbox, Row& row) {
  const struct {
    Name name;
    const std::string_view& text;
    int32_t& id;
  } fields[] = {
      {Name::kSender, header_.sender, row.sender},
      {Name::kDestination, header_.destination, row.destination},
      {Name::kSignature, header_.signature, row.signature},
      {Name::kPath, header_.path, row.path},
      {Name::kInterface, header_.interface, row.interface},
      {Name::kMember, header_.member, row.member},
      {Name::kErrorName, header_.error_name, row.error_name},
  };
  long_name_count_ = 0;
  for (const auto& [name, text, id] : fields) {
    // An empty signature stands for an empty body, as an absent one does.
    if (text.data() == nullptr || (text.empty() && name == Name::kSignature)) continue;
    Rule rule = Rule::kNone;
    if (const auto added = inbox.add_name(name, text, rule)) {
      id = *added;
      continue;
    }
    if (rule != Rule::kNone) {
      if (broken == Rule::kNone) broken = rule;
      if (name == Name::kSender || name == Name::kDestination) header_.is_addressed = false;
      continue;
    }
    if (!inbox.is_empty()) return Stored::kBatchFull;
    // A path may be as long as a message: it is handed over with the body.
    long_names_[long_name_count_++] = {text, &id};
  }
  return Stored::kDone;
}

MessageStore::Stored MessageStore::ignore() {
  if (fds_.refuses()) return Stored::kDone;
  // No more than there are: a header may claim more than can exist.
  std::vector<int32_t> fds(std::min<size_t>(header_.unix_fds, fds_.size() + 1));
  const FdQueue::Taken taken = fds_.take(fds);
  if (taken == FdQueue::Taken::kTooFew) return broken({Rule::kFdCount, 0});
  if (taken == FdQueue::Taken::kAll) {
    for (const int fd : fds) ::close(fd);
  }
  return Stored::kDone;
}

MessageStore::Stored MessageStore::take_fds(Inbox& inbox, Row& row) {
  const size_t count = header_.unix_fds;
  if (count == 0 || fds_.refuses()) return Stored::kDone;
  if (count > inbox.fd_space().size()) {
    return inbox.is_empty() ? broken({Rule::kFdFlood, 0}) : Stored::kBatchFull;
  }
  const std::span<int32_t> fds = inbox.fd_space().first(count);
  switch (fds_.take(fds)) {
    case FdQueue::Taken::kTooFew:
      return broken({Rule::kFdCount, 0});
    case FdQueue::Taken::kLost:
      if (row.fault == 0) set_fault(row, Fault::kOutOfMemory);
      return Stored::kDone;
    case FdQueue::Taken::kAll:
      break;
  }
  if (row.fault != 0) {
    for (const int fd : fds) ::close(fd);
    return Stored::kDone;
  }
  row.fd_offset = inbox.fd_offset();
  row.fd_count = static_cast<int32_t>(count);
  return Stored::kDone;
}

void MessageStore::validate(std::span<uint8_t> body, Inbox& inbox, Row& row) {
  const uint32_t fd_count = static_cast<uint32_t>(row.fd_count);
  const wire::Verdict verdict =
      validator_.validate(header_.signature, body, header_.swapped,
                          {.fd_count = fd_count, .decoded_size = inbox.limits().decoded_size});
  if (verdict.is_sound()) return;
  for (const int fd : inbox.fd_space().first(fd_count)) ::close(fd);
  row.fd_count = 0;
  const bool is_too_large = verdict.rule == Rule::kDecodedSize;
  set_fault(row, is_too_large ? Fault::kDecodedSize : Fault::kInvalidBody, verdict.rule);
}

}  // namespace busbar::transport
