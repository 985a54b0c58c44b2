// What can make a batch full comes before what cannot be undone, so that a message is stored as a whole or
// not at all.
#include "transport/message_store.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace busbar::transport {

using wire::Name;
using wire::Rule;

namespace {

// What the inbox has to take of a message that is too large, or too long in its names, for any batch.
void set_fault(Row& row, Fault fault) {
  row.fault = static_cast<int32_t>(fault);
  row.body_offset = row.body_length = 0;
}

}  // namespace

MessageStore::Stored MessageStore::store(std::span<const uint8_t> received, const wire::Frame& frame,
                                         Inbox& inbox) {
  const std::span<const uint8_t> bytes = received.first(frame.message_length());
  Row row;
  Stored stored = begin(bytes, frame, received.size() - bytes.size(), inbox, row);
  if (stored != Stored::kDone || row.type == 0) return stored;
  const std::span<const uint8_t> body = bytes.subspan(frame.body_offset);
  const std::span<uint8_t> space = inbox.body_space();
  if (body.size() > space.size() && row.fault == 0) {
    if (!inbox.is_empty()) return Stored::kBatchFull;
    wire::Writer copy = wire::Writer::filled(body.size());
    if (!copy.space().empty()) std::memcpy(copy.space().data(), body.data(), body.size());
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
  return finish_large(body, inbox, row);
}

MessageStore::Stored MessageStore::finish_large(wire::Writer& body, Inbox& inbox, Row& row) {
  const Stored stored = take_fds(inbox, row);
  if (stored != Stored::kDone) return stored;
  if (row.fault == 0 && body.state() != wire::Writer::State::kGood) set_fault(row, Fault::kOutOfMemory);
  if (row.fault == 0) {
    row.body_length = static_cast<int32_t>(body.size());
    validate(body.space(), inbox, row);
  }
  if (row.fault == 0 && body.size() > 0) {
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
  const wire::Verdict parsed = wire::parse_header(bytes, frame, header_);
  if (!parsed.is_sound()) return broken(parsed);
  if (has_surplus_fds(following)) return broken({Rule::kFdCount, 0});
  if (header_.type > wire::kSignal) return ignore(bytes);
  const Stored stored = add_names(bytes, inbox, row);
  if (stored != Stored::kDone) return stored;
  row.type = header_.type;
  row.flags = header_.flags;
  row.serial = static_cast<int32_t>(header_.serial);
  // Of no meaning on calls and signals: "unexpected header fields must be ignored".
  if (row.type == wire::kMethodReturn || row.type == wire::kError) {
    row.reply_serial = static_cast<int32_t>(header_.reply_serial);
  }
  return Stored::kDone;
}

MessageStore::Stored MessageStore::add_names(std::span<const uint8_t> bytes, Inbox& inbox, Row& row) {
  const struct {
    Name name;
    const std::string_view& text;
    int32_t& id;
  } fields[] = {
      {Name::kPath, header_.path, row.path},
      {Name::kInterface, header_.interface, row.interface},
      {Name::kMember, header_.member, row.member},
      {Name::kErrorName, header_.error_name, row.error_name},
      {Name::kDestination, header_.destination, row.destination},
      {Name::kSender, header_.sender, row.sender},
      {Name::kSignature, header_.signature, row.signature},
  };
  for (const auto& [name, text, id] : fields) {
    // An empty signature stands for an empty body, as an absent one does.
    if (text.data() == nullptr || (text.empty() && name == Name::kSignature)) continue;
    Rule rule = Rule::kNone;
    if (const auto added = inbox.add_name(name, text, rule)) {
      id = *added;
      continue;
    }
    if (rule != Rule::kNone) return broken({rule, wire::offset_in(bytes, text)});
    if (!inbox.is_empty()) return Stored::kBatchFull;
    // A path may be as long as a message. One that no batch can hold costs its message, but not the waiting
    // caller.
    set_fault(row, Fault::kOutOfMemory);
  }
  return Stored::kDone;
}

MessageStore::Stored MessageStore::ignore(std::span<const uint8_t> bytes) {
  const wire::Verdict verdict = wire::check_names(bytes, header_);
  if (!verdict.is_sound()) return broken(verdict);
  // No more than there are, and nobody can make that many.
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
  if (count == 0) return Stored::kDone;
  if (count > inbox.fd_space().size()) {
    return inbox.is_empty() ? broken({Rule::kFdFlood, 0}) : Stored::kBatchFull;
  }
  const std::span<int32_t> fds = inbox.fd_space().first(count);
  switch (fds_.take(fds)) {
    case FdQueue::Taken::kTooFew:
      return broken({Rule::kFdCount, 0});
    case FdQueue::Taken::kLost:
      set_fault(row, Fault::kOutOfMemory);
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
  if (validator_.validate(header_.signature, body, header_.swapped, fd_count).is_sound()) return;
  for (const int fd : inbox.fd_space().first(fd_count)) ::close(fd);
  row.fd_count = 0;
  set_fault(row, Fault::kInvalidBody);
}

}  // namespace busbar::transport
