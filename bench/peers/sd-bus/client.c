/* The sd-bus client: a C program that uses the documented calls of libsystemd and one thread. */
#include <systemd/sd-bus.h>

#include "harness.h"

static sd_bus* bus;
static const char* destination;
static unsigned window, paths;
static unsigned unsent, unanswered;

static void process_once(void) {
  int progress = sd_bus_process(bus, NULL);
  harness_check(progress, "sd_bus_process");
  if (progress == 0) harness_check(sd_bus_wait(bus, UINT64_MAX), "sd_bus_wait");
}

/* The path to call: one for all, or those below it in turn. */
static const char* next_path(void) {
  static unsigned next;
  static char path[sizeof BENCH_PATH + 16];
  if (paths == 0) return BENCH_PATH;
  snprintf(path, sizeof path, BENCH_PATH "/%u", next++ % paths);
  return path;
}

static void send_call(void);

/* The call about properties that a service answers, if it is not Echo. */
static const char* answered;

static int on_properties(sd_bus_message* reply, void* data, sd_bus_error* error);

static void send_properties_call(void) {
  int result = strcmp(answered, "GetAll") == 0
                   ? sd_bus_call_method_async(bus, NULL, destination, WIDE_PATH, PROPERTIES_INTERFACE, answered,
                                              on_properties, NULL, "s", WIDE_INTERFACE)
                   : sd_bus_call_method_async(bus, NULL, destination, MANAGER_PATH, OBJECT_MANAGER_INTERFACE,
                                              answered, on_properties, NULL, NULL);
  harness_check(result, "sd_bus_call_method_async");
}

static int on_reply(sd_bus_message* reply, void* data, sd_bus_error* error) {
  const char* text;
  (void)data, (void)error;
  if (sd_bus_message_is_method_error(reply, NULL))
    harness_fail("Echo", sd_bus_message_get_error(reply)->message);
  harness_check(sd_bus_message_read(reply, "s", &text), "reading a reply");
  unanswered--;
  if (unsent > 0) send_call();
  return 0;
}

static int on_properties(sd_bus_message* reply, void* data, sd_bus_error* error) {
  (void)data, (void)error;
  if (sd_bus_message_is_method_error(reply, NULL))
    harness_fail(answered, sd_bus_message_get_error(reply)->message);
  harness_check(sd_bus_message_skip(reply, NULL), "reading an answer");
  unanswered--;
  if (unsent > 0) send_call();
  return 0;
}

static void send_call(void) {
  unsent--;
  unanswered++;
  if (answered != NULL) {
    send_properties_call();
    return;
  }
  int result = sd_bus_call_method_async(bus, NULL, destination, next_path(), BENCH_INTERFACE, "Echo",
                                        on_reply, NULL, "s", harness_next_text());
  harness_check(result, "sd_bus_call_method_async");
}

static void pipelined_calls(unsigned operations) {
  unsent = operations;
  while (unsent > 0 && unanswered < window) send_call();
  while (unanswered > 0) process_once();
}

static void sequential_calls(unsigned operations) {
  for (unsigned i = 0; i < operations; i++) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* reply = NULL;
    const char* text;
    if (sd_bus_call_method(bus, destination, next_path(), BENCH_INTERFACE, "Echo", &error, &reply, "s",
                           harness_next_text()) < 0)
      harness_fail("Echo", error.message);
    harness_check(sd_bus_message_read(reply, "s", &text), "reading a reply");
    sd_bus_message_unref(reply);
  }
}

/* Sends bytes and gets them back. What is received is looked at and not copied, as it lies in the message. */
static void echo_bytes(unsigned operations) {
  size_t size = harness_number("size", 0), returned;
  void* bytes = malloc(size);
  memset(bytes, 0x5a, size);
  for (unsigned i = 0; i < operations; i++) {
    sd_bus_message *call = NULL, *reply = NULL;
    const void* echoed;
    harness_check(
        sd_bus_message_new_method_call(bus, &call, destination, BENCH_PATH, BENCH_INTERFACE, "EchoBytes"),
        "making a call");
    harness_check(sd_bus_message_append_array(call, 'y', bytes, size), "appending bytes");
    harness_check(sd_bus_call(bus, call, 0, NULL, &reply), "EchoBytes");
    harness_check(sd_bus_message_read_array(reply, 'y', &echoed, &returned), "reading bytes");
    if (returned != size) harness_fail("EchoBytes", "some were lost");
    sd_bus_message_unref(call);
    sd_bus_message_unref(reply);
  }
  free(bytes);
}

static unsigned received;
static bool done;

static int on_properties_changed(sd_bus_message* signal, void* data, sd_bus_error* error) {
  const char *interface, *property;
  int16_t rssi;
  (void)data, (void)error;
  harness_check(sd_bus_message_read(signal, "sa{sv}as", &interface, 1, &property, "n", &rssi, 0),
                "reading a signal");
  received++;
  return 0;
}

static int on_done(sd_bus_message* signal, void* data, sd_bus_error* error) {
  (void)signal, (void)data, (void)error;
  done = true;
  return 0;
}

static void subscribe(const char* interface, const char* member, sd_bus_message_handler_t handler) {
  harness_check(sd_bus_match_signal(bus, NULL, NULL, BENCH_PATH, interface, member, handler, NULL),
                "sd_bus_match_signal");
}

/* Has the bus send signals here for which this program has no handler. */
static void subscribe_without_handler(void) {
  const char* rule = "type='signal',path='" BENCH_PATH "',interface='" PROPERTIES_INTERFACE "'";
  int result = sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                  "org.freedesktop.DBus", "AddMatch", NULL, NULL, "s", rule);
  harness_check(result, "AddMatch");
}

static void receive_signals(unsigned operations) {
  received = 0;
  done = false;
  harness_check(
      sd_bus_call_method(bus, destination, BENCH_PATH, BENCH_INTERFACE, "Emit", NULL, NULL, "u", operations),
      "Emit");
  harness_pause();
  while (!done) process_once();
  if (harness_workload_is("signals") && received != operations) harness_fail("signals", "some were lost");
}

static void emit_signals(unsigned operations) {
  for (unsigned i = 0; i < operations; i++) {
    int result = sd_bus_emit_signal(bus, BENCH_PATH, PROPERTIES_INTERFACE, "PropertiesChanged", "sa{sv}as",
                                    "org.bluez.Device1", 1, "RSSI", "n", (int)(i % 100) - 100, 0);
    harness_check(result, "sd_bus_emit_signal");
    if ((i + 1) % BURST != 0 && i + 1 < operations) continue;
    result = sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", PEER_INTERFACE, "Ping",
                                NULL, NULL, NULL);
    harness_check(result, "Ping");
  }
}

/* Reads every value of a message, whatever its signature. */
static void read_values(sd_bus_message* message) {
  for (;;) {
    char type;
    const char* contents;
    int result = sd_bus_message_peek_type(message, &type, &contents);
    harness_check(result, "sd_bus_message_peek_type");
    if (result == 0) return;
    if (strchr("arve", type) != NULL) {
      harness_check(sd_bus_message_enter_container(message, type, contents), "entering a container");
      read_values(message);
      harness_check(sd_bus_message_exit_container(message), "leaving a container");
    } else {
      union {
        uint64_t number;
        const char* text;
      } value;
      harness_check(sd_bus_message_read_basic(message, type, &value), "reading a value");
    }
  }
}

static void get_managed_objects(unsigned operations) {
  for (unsigned i = 0; i < operations; i++) {
    sd_bus_message* reply = NULL;
    int result = sd_bus_call_method(bus, destination, "/", OBJECT_MANAGER_INTERFACE, "GetManagedObjects",
                                    NULL, &reply, NULL);
    harness_check(result, "GetManagedObjects");
    read_values(reply);
    sd_bus_message_unref(reply);
  }
}

/* The usage of the service so far, requested over the bus. */
static double service_cpu(void) {
  sd_bus_message* reply = NULL;
  double microseconds;
  harness_check(
      sd_bus_call_method(bus, destination, BENCH_PATH, BENCH_INTERFACE, "Usage", NULL, &reply, NULL),
      "Usage");
  harness_check(sd_bus_message_read(reply, "d", &microseconds), "reading the usage");
  sd_bus_message_unref(reply);
  return microseconds;
}

int main(int argc, char** argv) {
  harness_start(argc, argv);
  bool peer = harness_number("peer", 0);
  destination = peer ? NULL : harness_text("destination", BENCH_NAME);
  window = harness_number("window", 1);
  paths = harness_number("paths", 0);
  answered = harness_text("call", NULL);

  harness_check(sd_bus_new(&bus), "sd_bus_new");
  harness_check(sd_bus_set_address(bus, harness_address()), "sd_bus_set_address");
  harness_check(sd_bus_set_bus_client(bus, !peer), "sd_bus_set_bus_client");
  harness_check(sd_bus_start(bus), "sd_bus_start");

  if (harness_workload_is("cold")) {
    sequential_calls(1);
    return harness_once();
  }
  if (harness_workload_is("calls"))
    return harness_serve(window == 1 ? sequential_calls : pipelined_calls, NULL);
  if (harness_workload_is("drive")) return harness_serve(pipelined_calls, service_cpu);
  if (harness_workload_is("emit")) return harness_serve(emit_signals, NULL);
  if (harness_workload_is("bytes")) return harness_serve(echo_bytes, NULL);
  if (harness_workload_is("objects")) return harness_serve(get_managed_objects, NULL);
  if (harness_workload_is("signals") || harness_workload_is("unmatched")) {
    subscribe(BENCH_INTERFACE, "Done", on_done);
    if (harness_workload_is("signals"))
      subscribe(PROPERTIES_INTERFACE, "PropertiesChanged", on_properties_changed);
    else
      subscribe_without_handler();
    return harness_serve(receive_signals, NULL);
  }
  harness_fail("no such workload", argv[2]);
}
