// Creates the message by its type, sets what the header carries, appends the body, and seals it with the
// serial that TypeScript assigned. SENDER is never sent: the bus knows it, and sets it.
#include "sdbus/bridge_out.h"

#include <cerrno>

#include "sdbus/body_writer.h"

namespace busbar::sdbus {

namespace {

// Null for an absent field, as sd-bus expects it. Header strings are NUL-terminated in the message.
const char* text(std::string_view field) { return field.empty() ? nullptr : field.data(); }

int new_call(const Api& api, sd_bus* bus, const wire::Header& header, Message& message) {
  sd_bus_message* call = nullptr;
  int r = api.sd_bus_message_new_method_call(bus, &call, text(header.destination), text(header.path),
                                             text(header.interface), text(header.member));
  if (r < 0) return r;
  message = own(api, call);
  return api.sd_bus_message_set_expect_reply(call, (header.flags & wire::kNoReplyExpected) == 0);
}

int new_signal(const Api& api, sd_bus* bus, const wire::Header& header, Message& message) {
  sd_bus_message* signal = nullptr;
  int r = api.sd_bus_message_new_signal(bus, &signal, text(header.path), text(header.interface),
                                        text(header.member));
  if (r < 0) return r;
  message = own(api, signal);
  return header.destination.empty() ? 0
                                    : api.sd_bus_message_set_destination(signal, text(header.destination));
}

// The call that a reply is to answer. sd-bus has no setter for REPLY_SERIAL: a reply takes it, and the
// destination, from the call it is made for. A call with just those two, sealed and never sent, serves as
// well as the received one, and spares a table of received calls that would need a bound.
int new_answered_call(const Api& api, sd_bus* bus, const wire::Header& header, Message& message) {
  sd_bus_message* call = nullptr;
  int r = api.sd_bus_message_new_method_call(bus, &call, nullptr, "/", nullptr, "Call");
  if (r < 0) return r;
  message = own(api, call);
  if (!header.destination.empty()) {
    r = api.sd_bus_message_set_sender(call, text(header.destination));
    if (r < 0) return r;
  }
  return api.sd_bus_message_seal(call, header.reply_serial, 0);
}

int new_reply(const Api& api, sd_bus* bus, const wire::Header& header, Message& message) {
  Message call;
  int r = new_answered_call(api, bus, header, call);
  if (r < 0) return r;
  sd_bus_message* reply = nullptr;
  if (header.type == wire::kMethodReturn) {
    r = api.sd_bus_message_new_method_return(call.get(), &reply);
  } else {
    // Without a message, so that it appends no body.
    const sd_bus_error error{text(header.error_name), nullptr, 0};
    r = api.sd_bus_message_new_method_error(call.get(), &reply, &error);
  }
  if (r < 0) return r;
  message = own(api, reply);
  return 0;
}

int new_message(const Api& api, sd_bus* bus, const wire::Header& header, Message& message) {
  switch (header.type) {
    case wire::kMethodCall:
      return new_call(api, bus, header, message);
    case wire::kMethodReturn:
    case wire::kError:
      return new_reply(api, bus, header, message);
    case wire::kSignal:
      return new_signal(api, bus, header, message);
    default:
      return -EINVAL;
  }
}

}  // namespace

int build_message(const Api& api, sd_bus* bus, const wire::Header& header, std::span<const uint8_t> body,
                  std::span<const int32_t> fds, Message& message) {
  int r = new_message(api, bus, header, message);
  if (r < 0) return r;
  if (header.flags & wire::kNoAutoStart) {
    r = api.sd_bus_message_set_auto_start(message.get(), 0);
    if (r < 0) return r;
  }
  if (header.type == wire::kMethodCall && header.flags & wire::kAllowInteractiveAuthorization) {
    r = api.sd_bus_message_set_allow_interactive_authorization(message.get(), 1);
    if (r < 0) return r;
  }
  r = BodyWriter(api, message.get(), body, fds).write(header.signature);
  if (r < 0) return r;
  // The timeout is for sd_bus_call_async only, which is not used.
  return api.sd_bus_message_seal(message.get(), header.serial, 0);
}

}  // namespace busbar::sdbus
