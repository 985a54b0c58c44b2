// The functions of sd-bus that busbar uses, resolved at run time.
//
// Nothing links to libsystemd: one binary loads everywhere, builds need no headers of it, and tests can fill
// an `Api` with functions of their own. Declarations follow sd-bus.h as of systemd 246, which elogind and
// basu share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

extern "C" {
struct sd_bus;
struct sd_bus_message;
struct sd_bus_slot;
// The public layout of sd_bus_error; only ever lent to sd-bus, so the last field stays 0.
struct sd_bus_error {
  const char* name;
  const char* message;
  int need_free;
};
// The public layout of sd_id128_t, which is passed by value.
union sd_id128 {
  uint8_t bytes[16];
  uint64_t qwords[2];
};
}

namespace busbar::sdbus {

using MessageHandler = int (*)(sd_bus_message*, void* userdata, sd_bus_error*);

// name, result, parameters
#define BUSBAR_SDBUS_FUNCTIONS(F)                                                                       \
  F(sd_bus_new, int, (sd_bus**))                                                                        \
  F(sd_bus_set_address, int, (sd_bus*, const char*))                                                    \
  F(sd_bus_set_fd, int, (sd_bus*, int, int))                                                            \
  F(sd_bus_set_bus_client, int, (sd_bus*, int))                                                         \
  F(sd_bus_negotiate_fds, int, (sd_bus*, int))                                                          \
  F(sd_bus_set_server, int, (sd_bus*, int, sd_id128))                                                   \
  F(sd_bus_set_anonymous, int, (sd_bus*, int))                                                          \
  F(sd_bus_start, int, (sd_bus*))                                                                       \
  F(sd_bus_close, void, (sd_bus*))                                                                      \
  F(sd_bus_unref, sd_bus*, (sd_bus*))                                                                   \
  F(sd_bus_is_open, int, (sd_bus*))                                                                     \
  F(sd_bus_is_ready, int, (sd_bus*))                                                                    \
  F(sd_bus_can_send, int, (sd_bus*, char))                                                              \
  F(sd_bus_get_fd, int, (sd_bus*))                                                                      \
  F(sd_bus_get_events, int, (sd_bus*))                                                                  \
  F(sd_bus_get_timeout, int, (sd_bus*, uint64_t*))                                                      \
  F(sd_bus_get_n_queued_write, int, (sd_bus*, uint64_t*))                                               \
  F(sd_bus_process, int, (sd_bus*, sd_bus_message**))                                                   \
  F(sd_bus_add_filter, int, (sd_bus*, sd_bus_slot**, MessageHandler, void*))                            \
  F(sd_bus_send, int, (sd_bus*, sd_bus_message*, uint64_t*))                                            \
  F(sd_bus_message_new, int, (sd_bus*, sd_bus_message**, uint8_t))                                      \
  F(sd_bus_message_new_signal, int, (sd_bus*, sd_bus_message**, const char*, const char*, const char*)) \
  F(sd_bus_message_new_method_call, int,                                                                \
    (sd_bus*, sd_bus_message**, const char*, const char*, const char*, const char*))                    \
  F(sd_bus_message_new_method_return, int, (sd_bus_message*, sd_bus_message**))                         \
  F(sd_bus_message_new_method_error, int, (sd_bus_message*, sd_bus_message**, const sd_bus_error*))     \
  F(sd_bus_message_ref, sd_bus_message*, (sd_bus_message*))                                             \
  F(sd_bus_message_unref, sd_bus_message*, (sd_bus_message*))                                           \
  F(sd_bus_message_seal, int, (sd_bus_message*, uint64_t, uint64_t))                                    \
  F(sd_bus_message_rewind, int, (sd_bus_message*, int))                                                 \
  F(sd_bus_message_get_type, int, (sd_bus_message*, uint8_t*))                                          \
  F(sd_bus_message_get_cookie, int, (sd_bus_message*, uint64_t*))                                       \
  F(sd_bus_message_get_reply_cookie, int, (sd_bus_message*, uint64_t*))                                 \
  F(sd_bus_message_get_expect_reply, int, (sd_bus_message*))                                            \
  F(sd_bus_message_get_auto_start, int, (sd_bus_message*))                                              \
  F(sd_bus_message_get_allow_interactive_authorization, int, (sd_bus_message*))                         \
  F(sd_bus_message_get_signature, const char*, (sd_bus_message*, int))                                  \
  F(sd_bus_message_get_path, const char*, (sd_bus_message*))                                            \
  F(sd_bus_message_get_interface, const char*, (sd_bus_message*))                                       \
  F(sd_bus_message_get_member, const char*, (sd_bus_message*))                                          \
  F(sd_bus_message_get_destination, const char*, (sd_bus_message*))                                     \
  F(sd_bus_message_get_sender, const char*, (sd_bus_message*))                                          \
  F(sd_bus_message_get_error, const sd_bus_error*, (sd_bus_message*))                                   \
  F(sd_bus_message_set_expect_reply, int, (sd_bus_message*, int))                                       \
  F(sd_bus_message_set_auto_start, int, (sd_bus_message*, int))                                         \
  F(sd_bus_message_set_allow_interactive_authorization, int, (sd_bus_message*, int))                    \
  F(sd_bus_message_set_destination, int, (sd_bus_message*, const char*))                                \
  F(sd_bus_message_set_sender, int, (sd_bus_message*, const char*))                                     \
  F(sd_bus_message_append_basic, int, (sd_bus_message*, char, const void*))                             \
  F(sd_bus_message_append_array, int, (sd_bus_message*, char, const void*, size_t))                     \
  F(sd_bus_message_open_container, int, (sd_bus_message*, char, const char*))                           \
  F(sd_bus_message_close_container, int, (sd_bus_message*))                                             \
  F(sd_bus_message_read_basic, int, (sd_bus_message*, char, void*))                                     \
  F(sd_bus_message_read_array, int, (sd_bus_message*, char, const void**, size_t*))                     \
  F(sd_bus_message_enter_container, int, (sd_bus_message*, char, const char*))                          \
  F(sd_bus_message_exit_container, int, (sd_bus_message*))                                              \
  F(sd_bus_message_peek_type, int, (sd_bus_message*, char*, const char**))                              \
  F(sd_bus_message_at_end, int, (sd_bus_message*, int))

struct Api {
#define BUSBAR_MEMBER(name, result, parameters) result(*name) parameters = nullptr;
  BUSBAR_SDBUS_FUNCTIONS(BUSBAR_MEMBER)
#undef BUSBAR_MEMBER
};

// A library that has all the functions, held open. Several environments of a process each hold their own.
class Library {
 public:
  // The first of libsystemd, libelogind and libbasu that is installed and complete; null if there is none.
  static std::unique_ptr<Library> open();

  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const Api& api() const { return api_; }
  const std::string& name() const { return name_; }

 private:
  Library(void* handle, const char* name) : handle_(handle), name_(name) {}
  bool resolve();

  void* handle_;
  std::string name_;
  Api api_;
};

}  // namespace busbar::sdbus
