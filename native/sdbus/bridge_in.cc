// Copies header fields and body, and duplicates descriptors, which die with the sd_bus_message.
#include "sdbus/bridge_in.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "sdbus/body_reader.h"
#include "wire/header.h"

namespace busbar::sdbus {

namespace {

using inbox::Fault;
using inbox::fault_code;
using inbox::Inbox;
using inbox::Row;

// sd-bus takes no more with one message.
constexpr size_t kMaxFds = 1024;

void store_numbers(const Api& api, sd_bus_message* message, Row& row) {
  uint64_t serial = 0, reply_serial = 0;
  api.sd_bus_message_get_cookie(message, &serial);
  // Fails, and leaves 0, where the message has none.
  if (api.sd_bus_message_get_reply_cookie(message, &reply_serial) < 0) reply_serial = 0;
  row.serial = static_cast<int32_t>(static_cast<uint32_t>(serial));
  row.reply_serial = static_cast<int32_t>(static_cast<uint32_t>(reply_serial));
  // sd-bus has no getter for the flags as such; NO_REPLY_EXPECTED means something on calls only.
  if (row.type == wire::kMethodCall && api.sd_bus_message_get_expect_reply(message) == 0) {
    row.flags |= wire::kNoReplyExpected;
  }
  if (api.sd_bus_message_get_auto_start(message) == 0) row.flags |= wire::kNoAutoStart;
  if (api.sd_bus_message_get_allow_interactive_authorization(message) > 0) {
    row.flags |= wire::kAllowInteractiveAuthorization;
  }
}

// False when a string does not fit; the fields after it are left 0.
bool store_strings(const Api& api, sd_bus_message* message, Inbox& inbox, Row& row) {
  const sd_bus_error* error = api.sd_bus_message_get_error(message);
  const std::pair<const char*, int32_t*> fields[] = {
      // The sender and the destination come first: nothing that is longer takes their room.
      {api.sd_bus_message_get_sender(message), &row.sender},
      {api.sd_bus_message_get_destination(message), &row.destination},
      {api.sd_bus_message_get_signature(message, 1), &row.signature},
      {api.sd_bus_message_get_path(message), &row.path},
      {api.sd_bus_message_get_interface(message), &row.interface},
      {api.sd_bus_message_get_member(message), &row.member},
      {error != nullptr ? error->name : nullptr, &row.error_name},
  };
  bool complete = true;
  for (const auto& [text, id] : fields) {
    // An empty signature stands for an empty body, as an absent one does.
    if (text == nullptr || *text == '\0') continue;
    if (const auto added = inbox.add_string(text)) {
      *id = *added;
    } else {
      complete = false;
    }
  }
  return complete;
}

// Replaces the message's descriptors by copies of our own; on failure none is left.
bool duplicate(std::span<int32_t> fds) {
  for (size_t i = 0; i < fds.size(); i++) {
    const int copy = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
      while (i-- > 0) ::close(fds[i]);
      return false;
    }
    fds[i] = copy;
  }
  return true;
}

// Finishes a row whose body was read into `writer`.
void describe_body(Inbox& inbox, const wire::Writer& writer, size_t fd_count, Row& row) {
  if (!duplicate(inbox.fd_space().first(fd_count))) {
    row.fault = fault_code(Fault::kOutOfMemory);
    return;
  }
  row.body_length = static_cast<int32_t>(writer.size());
  row.fd_count = static_cast<int32_t>(fd_count);
}

// The fault of the seam for the fault of a body.
int32_t seam_fault(BodyFault fault) {
  switch (fault) {
    case BodyFault::kNone:
      return fault_code(Fault::kNone);
    case BodyFault::kInvalid:
      return fault_code(Fault::kInvalidBody);
    case BodyFault::kRefusedText:
      return fault_code(Fault::kUnsupportedBody);
    case BodyFault::kDecodedSize:
      return fault_code(Fault::kDecodedSize, wire::Rule::kDecodedSize);
    case BodyFault::kMessageSize:
      return fault_code(Fault::kMessageSize);
    case BodyFault::kNoSpace:
      break;
  }
  return fault_code(Fault::kOutOfMemory);
}

void store_large(const Api& api, sd_bus_message* message, Inbox& inbox, Row& row) {
  wire::Writer writer = wire::Writer::growing(wire::kMaxMessageLength);
  BodyReader reader(api, message, writer, inbox.fd_space(), inbox.limits());
  const BodyFault fault = reader.read();
  row.body_offset = 0;
  row.fault = seam_fault(fault);
  if (fault == BodyFault::kNone) describe_body(inbox, writer, reader.fd_count(), row);
  if (row.fault == 0) {
    inbox.commit_large(row, std::move(writer));
  } else {
    inbox.commit(row);
  }
}

}  // namespace

Stored store_message(const Api& api, sd_bus_message* message, Inbox& inbox) {
  uint8_t type = 0;
  if (api.sd_bus_message_get_type(message, &type) < 0 || type < wire::kMethodCall || type > wire::kSignal) {
    return Stored::kIgnored;
  }
  Row row;
  row.type = type;
  store_numbers(api, message, row);
  if (!store_strings(api, message, inbox, row)) {
    if (!inbox.is_empty()) return Stored::kBatchFull;
    // A path may be as long as a message. One that no batch can hold costs its message, but not the waiting
    // caller.
    row.fault = fault_code(Fault::kOutOfMemory);
    inbox.commit(row);
    return Stored::kStored;
  }

  row.body_offset = inbox.body_offset();
  row.fd_offset = inbox.fd_offset();
  wire::Writer writer(inbox.body_space());
  BodyReader reader(api, message, writer, inbox.fd_space(), inbox.limits());
  const BodyFault fault = reader.read();
  if (fault == BodyFault::kNoSpace) {
    if (!inbox.is_empty()) return Stored::kBatchFull;
    store_large(api, message, inbox, row);
    return Stored::kStored;
  }
  row.fault = seam_fault(fault);
  if (fault == BodyFault::kNone) describe_body(inbox, writer, reader.fd_count(), row);
  if (row.fault != 0 || row.body_length == 0) row.body_offset = 0;
  inbox.commit(row);
  return Stored::kStored;
}

size_t body_length(const Api& api, sd_bus_message* message) {
  // sd-bus does not tell the length, so the body is read for that alone.
  wire::Writer writer = wire::Writer::growing(wire::kMaxMessageLength);
  std::vector<int32_t> fds(kMaxFds);
  // A fault does not matter: the values before it take memory, too.
  [[maybe_unused]] const BodyFault fault = BodyReader(api, message, writer, fds).read();
  return writer.size();
}

}  // namespace busbar::sdbus
