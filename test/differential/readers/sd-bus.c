/* Readings of sd-bus. It reads them from a socket only: so this program plays the other side of a
 * connection, sends each message and a mark behind it, and prints what a filter sees before the mark; then
 * every value, and the same values once more as sd-bus sends them. A connection that a message ended is
 * replaced. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "reading.h"

#define HANDSHAKE "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n"
#define MARK_SERIAL 0xfffffff0u

static sd_bus* bus;
static int peer = -1;
/* Read since the last message was sent. */
static sd_bus_message* taken;
static bool is_marked;

/* A signal `/ a.b M`, which nothing else here sends with this serial. */
static const uint8_t mark[] = {
    'l', 4, 1,   1, 0, 0, 0, 0, 0xf0, 0xff, 0xff, 0xff, 0x2a, 0, 0, 0, /* fixed part */
    1,   1, 'o', 0, 1, 0, 0, 0, '/',  0,    0,    0,    0,    0, 0, 0, /* PATH */
    2,   1, 's', 0, 3, 0, 0, 0, 'a',  '.',  'b',  0,    0,    0, 0, 0, /* INTERFACE */
    3,   1, 's', 0, 1, 0, 0, 0, 'M',  0,    0,    0,    0,    0, 0, 0, /* MEMBER */
};

static void fail(const char* what, int error) {
  fprintf(stderr, "%s: %s\n", what, strerror(-error));
  exit(1);
}

static int take(sd_bus_message* message, void* data, sd_bus_error* error) {
  (void)data, (void)error;
  uint64_t serial = 0;
  sd_bus_message_get_cookie(message, &serial);
  if (serial == MARK_SERIAL) {
    is_marked = true;
  } else {
    sd_bus_message_unref(taken);
    taken = sd_bus_message_ref(message);
  }
  return 1;
}

static void hang_up(void) {
  bus = sd_bus_close_unref(bus);
  if (peer >= 0) close(peer);
  peer = -1;
}

static void discard_input(void) {
  uint8_t bytes[4096];
  while (recv(peer, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
  }
}

static void connect_bus(void) {
  int pair[2], r;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
    fail("socketpair", -errno);
  peer = pair[1];
  if (write(peer, HANDSHAKE, strlen(HANDSHAKE)) < 0) fail("write", -errno);
  if ((r = sd_bus_new(&bus)) < 0) fail("sd_bus_new", r);
  if ((r = sd_bus_set_fd(bus, pair[0], pair[0])) < 0) fail("sd_bus_set_fd", r);
  if ((r = sd_bus_negotiate_fds(bus, 1)) < 0) fail("sd_bus_negotiate_fds", r);
  if ((r = sd_bus_add_filter(bus, NULL, take, NULL)) < 0) fail("sd_bus_add_filter", r);
  if ((r = sd_bus_start(bus)) < 0) fail("sd_bus_start", r);
  while (sd_bus_is_ready(bus) == 0) {
    if ((r = sd_bus_process(bus, NULL)) < 0) fail("sd_bus_process", r);
  }
  discard_input();
}

/* Sends message and mark, and processes until the mark was seen (1), the connection ended (negative), or
 * there is nothing more to read although the mark was sent (0). */
static int send_and_process(const uint8_t* bytes, size_t length) {
  const uint8_t* pieces[] = {bytes, mark};
  const size_t lengths[] = {length, sizeof mark};
  size_t piece = 0, sent = 0;
  for (;;) {
    while (piece < 2) {
      const ssize_t count = send(peer, pieces[piece] + sent, lengths[piece] - sent, MSG_NOSIGNAL);
      if (count < 0) break;
      sent += (size_t)count;
      if (sent == lengths[piece]) piece++, sent = 0;
    }
    const int r = sd_bus_process(bus, NULL);
    if (r < 0) return r;
    if (is_marked) return 1;
    if (r > 0) continue;
    struct pollfd waiting = {.fd = sd_bus_get_fd(bus), .events = POLLIN};
    if (piece == 2 && poll(&waiting, 1, 0) == 0) return 0;
  }
}

static int print_value(sd_bus_message* message);

/* The rest of a container, or of the body, as members of a list. */
static int print_values(sd_bus_message* message, const char* separator) {
  for (;; separator = ",") {
    int r = sd_bus_message_at_end(message, 0);
    if (r != 0) return r < 0 ? r : 0;
    fputs(separator, out);
    r = print_value(message);
    if (r < 0) return r;
  }
}

/* `type` is the first member of the list. */
static int print_container(sd_bus_message* message, char kind, const char* contents, const char* type) {
  int r = sd_bus_message_enter_container(message, kind, contents);
  if (r < 0) return r;
  fprintf(out, "[\"%s\"", type);
  r = print_values(message, ",");
  fputc(']', out);
  return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int print_bytes(sd_bus_message* message) {
  const void* bytes = NULL;
  size_t length = 0;
  int r = sd_bus_message_read_array(message, 'y', &bytes, &length);
  if (r < 0 && r != -EOPNOTSUPP) return r;
  fputs("\"ay ", out);
  if (r >= 0) {
    print_hexadecimal(bytes, length);
  } else {
    /* It lends no memory of messages in the other byte order. */
    uint8_t byte;
    r = sd_bus_message_enter_container(message, 'a', "y");
    if (r < 0) return r;
    while ((r = sd_bus_message_read_basic(message, 'y', &byte)) > 0) print_hexadecimal(&byte, 1);
    if (r >= 0) r = sd_bus_message_exit_container(message);
  }
  fputc('"', out);
  return r;
}

/* The members of a dict entry are in the dictionary's own list. */
static int print_entries(sd_bus_message* message, const char* contents, const char* type) {
  int r = sd_bus_message_enter_container(message, 'a', contents);
  if (r < 0) return r;
  fprintf(out, "[\"%s\"", type);
  char members[256] = "";
  memcpy(members, contents + 1, strlen(contents) - 2);
  while ((r = sd_bus_message_at_end(message, 0)) == 0) {
    r = sd_bus_message_enter_container(message, 'e', members);
    if (r >= 0) r = print_values(message, ",");
    if (r >= 0) r = sd_bus_message_exit_container(message);
    if (r < 0) return r;
  }
  fputc(']', out);
  return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int print_value(sd_bus_message* message) {
  char kind = 0;
  const char* peeked = NULL;
  int r = sd_bus_message_peek_type(message, &kind, &peeked);
  if (r < 0) return r;
  if (peeked != NULL) {
    /* They are lent only until the message is read on. */
    char contents[256], type[260];
    snprintf(contents, sizeof contents, "%s", peeked);
    const char* form = kind == 'a' ? "a%s" : "(%s)";
    snprintf(type, sizeof type, kind == 'v' ? "v" : form, contents);
    if (strcmp(type, "ay") == 0) return print_bytes(message);
    if (contents[0] == '{') return print_entries(message, contents, type);
    return print_container(message, kind, contents, type);
  }
  union {
    uint64_t number;
    const char* text;
  } value = {0};
  r = sd_bus_message_read_basic(message, kind, &value);
  if (r < 0) return r;
  print_basic(kind, &value);
  return 0;
}

/* The members after the header. */
static int print_body(sd_bus_message* message) {
  int r = sd_bus_message_rewind(message, 1);
  fprintf(out, ",\"body\":[");
  if (r >= 0) r = print_values(message, "");
  fputc(']', out);
  if (r < 0) return r;
  return sd_bus_message_at_end(message, 1) > 0 ? 0 : -EBADMSG;
}

static void print_header(sd_bus_message* message) {
  uint8_t type = 0;
  uint64_t serial = 0, reply_serial = 0;
  sd_bus_message_get_type(message, &type);
  sd_bus_message_get_cookie(message, &serial);
  fprintf(out, "\"outcome\":\"message\",\"type\":%u,\"serial\":%" PRIu64, type, serial);
  if (sd_bus_message_get_reply_cookie(message, &reply_serial) >= 0) {
    fprintf(out, ",\"replySerial\":%" PRIu64, reply_serial);
  } else {
    fprintf(out, ",\"replySerial\":null");
  }
  const sd_bus_error* error = sd_bus_message_get_error(message);
  print_member("path", sd_bus_message_get_path(message));
  print_member("interface", sd_bus_message_get_interface(message));
  print_member("member", sd_bus_message_get_member(message));
  print_member("errorName", error != NULL ? error->name : NULL);
  print_member("destination", sd_bus_message_get_destination(message));
  print_member("sender", sd_bus_message_get_sender(message));
  print_member("signature", sd_bus_message_get_signature(message, 1));
}

/* The values as sd-bus sends them. Values that it refuses to write are left out. */
static void print_written(sd_bus_message* message) {
  sd_bus_message* copy = NULL;
  if (sd_bus_message_rewind(message, 1) < 0) return;
  if (sd_bus_message_new_signal(bus, &copy, "/written", "org.example.Written", "Again") < 0) return;
  if (sd_bus_message_copy(copy, message, 1) >= 0 && sd_bus_send(bus, copy, NULL) >= 0) {
    uint8_t bytes[65536];
    fprintf(out, ",\"written\":\"");
    uint64_t queued = 0;
    do {
      sd_bus_get_n_queued_write(bus, &queued);
      if (queued > 0) sd_bus_process(bus, NULL);
      for (ssize_t count; (count = recv(peer, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) {
        print_hexadecimal(bytes, (size_t)count);
      }
    } while (queued > 0);
    fputc('"', out);
  }
  sd_bus_message_unref(copy);
}

/* A fault of a body is detected in the middle, when half of it is printed: so it is printed to a buffer
 * first. */
static int print_readable(sd_bus_message* message) {
  char* body = NULL;
  size_t size = 0;
  FILE* final_out = out;
  out = open_memstream(&body, &size);
  if (out == NULL) fail("open_memstream", -errno);
  const int r = print_body(message);
  fclose(out);
  out = final_out;
  if (r >= 0) {
    print_header(message);
    fputs(body, out);
    print_written(message);
  }
  free(body);
  return r;
}

static void read_message(const uint8_t* bytes, size_t length) {
  if (bus == NULL) connect_bus();
  is_marked = false;
  const int r = send_and_process(bytes, length);
  int readable = 0;
  if (r == 0) {
    print_outcome("waiting", "");
  } else if (r < 0) {
    print_outcome("closed", strerror(-r));
  } else if (taken == NULL) {
    print_outcome("nothing", "");
  } else if ((readable = print_readable(taken)) < 0) {
    print_outcome("faulty body", strerror(-readable));
  }
  taken = sd_bus_message_unref(taken);
  if (r <= 0) hang_up();
}
