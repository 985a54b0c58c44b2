/* The libdbus client: one thread, its own loop, replies through pending calls. */
#include <dbus/dbus.h>

#include "../harness/harness.h"

#define DRIVER_PATH "/org/freedesktop/DBus"

static DBusConnection* bus;
/* NULL between peers, which have no names. */
static const char* destination;
static unsigned window;
static unsigned unsent, unanswered;

static void process_once(void) {
  if (!dbus_connection_read_write_dispatch(bus, -1)) harness_fail("the bus", "disconnected");
}

static DBusMessage* new_call(const char* path, const char* interface, const char* member) {
  return dbus_message_new_method_call(destination, path, interface, member);
}

static DBusMessage* call_and_wait(DBusMessage* call) {
  DBusError error = DBUS_ERROR_INIT;
  DBusMessage* reply = dbus_connection_send_with_reply_and_block(bus, call, DBUS_TIMEOUT_USE_DEFAULT, &error);
  if (reply == NULL) harness_fail(dbus_message_get_member(call), error.message);
  dbus_message_unref(call);
  return reply;
}

static DBusMessage* new_echo(void) {
  DBusMessage* call = new_call(BENCH_PATH, BENCH_INTERFACE, "Echo");
  const char* text = harness_next_text();
  dbus_message_append_args(call, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
  return call;
}

static void read_echo(DBusMessage* reply) {
  const char* text;
  if (!dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID))
    harness_fail("Echo", "no text came back");
  dbus_message_unref(reply);
}

static void send_call(void);

static void on_reply(DBusPendingCall* pending, void* data) {
  (void)data;
  read_echo(dbus_pending_call_steal_reply(pending));
  dbus_pending_call_unref(pending);
  unanswered--;
  if (unsent > 0) send_call();
}

static void send_call(void) {
  DBusPendingCall* pending = NULL;
  DBusMessage* call = new_echo();
  unsent--;
  unanswered++;
  if (!dbus_connection_send_with_reply(bus, call, &pending, DBUS_TIMEOUT_USE_DEFAULT) || pending == NULL)
    harness_fail("Echo", "was not sent");
  dbus_pending_call_set_notify(pending, on_reply, NULL, NULL);
  dbus_message_unref(call);
}

static void pipelined_calls(unsigned operations) {
  unsent = operations;
  while (unsent > 0 && unanswered < window) send_call();
  while (unanswered > 0) process_once();
}

static void sequential_calls(unsigned operations) {
  for (unsigned i = 0; i < operations; i++) read_echo(call_and_wait(new_echo()));
}

static unsigned received;
static bool done;

static void read_changed(DBusMessage* signal) {
  DBusMessageIter arguments, properties, entry, variant;
  const char *interface, *property;
  dbus_int16_t rssi;
  dbus_message_iter_init(signal, &arguments);
  dbus_message_iter_get_basic(&arguments, &interface);
  dbus_message_iter_next(&arguments);
  dbus_message_iter_recurse(&arguments, &properties);
  for (; dbus_message_iter_get_arg_type(&properties) == DBUS_TYPE_DICT_ENTRY;
       dbus_message_iter_next(&properties)) {
    dbus_message_iter_recurse(&properties, &entry);
    dbus_message_iter_get_basic(&entry, &property);
    dbus_message_iter_next(&entry);
    dbus_message_iter_recurse(&entry, &variant);
    dbus_message_iter_get_basic(&variant, &rssi);
  }
  received++;
}

static DBusHandlerResult on_message(DBusConnection* connection, DBusMessage* message, void* data) {
  (void)connection, (void)data;
  if (dbus_message_is_signal(message, BENCH_INTERFACE, "Done"))
    done = true;
  else if (harness_workload_is("signals") &&
           dbus_message_is_signal(message, PROPERTIES_INTERFACE, "PropertiesChanged"))
    read_changed(message);
  else
    return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
  return DBUS_HANDLER_RESULT_HANDLED;
}

static void subscribe(void) {
  dbus_connection_add_filter(bus, on_message, NULL, NULL);
  dbus_bus_add_match(bus, "type='signal',path='" BENCH_PATH "',interface='" BENCH_INTERFACE "'", NULL);
  dbus_bus_add_match(bus, "type='signal',path='" BENCH_PATH "',interface='" PROPERTIES_INTERFACE "'", NULL);
  dbus_connection_flush(bus);
}

static void receive_signals(unsigned operations) {
  DBusMessage* call = new_call(BENCH_PATH, BENCH_INTERFACE, "Emit");
  dbus_uint32_t count = operations;
  received = 0;
  done = false;
  dbus_message_append_args(call, DBUS_TYPE_UINT32, &count, DBUS_TYPE_INVALID);
  dbus_message_unref(call_and_wait(call));
  harness_pause();
  while (!done) process_once();
  if (harness_workload_is("signals") && received != operations) harness_fail("signals", "some were lost");
}

static DBusMessage* new_changed(dbus_int16_t rssi) {
  DBusMessage* signal = dbus_message_new_signal(BENCH_PATH, BENCH_INTERFACE, "Changed");
  DBusMessageIter arguments, properties, entry, variant, invalidated;
  const char *interface = "org.bluez.Device1", *property = "RSSI";
  dbus_message_iter_init_append(signal, &arguments);
  dbus_message_iter_append_basic(&arguments, DBUS_TYPE_STRING, &interface);
  dbus_message_iter_open_container(&arguments, DBUS_TYPE_ARRAY, "{sv}", &properties);
  dbus_message_iter_open_container(&properties, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
  dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &property);
  dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "n", &variant);
  dbus_message_iter_append_basic(&variant, DBUS_TYPE_INT16, &rssi);
  dbus_message_iter_close_container(&entry, &variant);
  dbus_message_iter_close_container(&properties, &entry);
  dbus_message_iter_close_container(&arguments, &properties);
  dbus_message_iter_open_container(&arguments, DBUS_TYPE_ARRAY, "s", &invalidated);
  dbus_message_iter_close_container(&arguments, &invalidated);
  return signal;
}

static void emit_signals(unsigned operations) {
  for (unsigned i = 0; i < operations; i++) {
    DBusMessage* signal = new_changed((dbus_int16_t)((int)(i % 100) - 100));
    if (!dbus_connection_send(bus, signal, NULL)) harness_fail("Changed", "was not sent");
    dbus_message_unref(signal);
    if ((i + 1) % BURST != 0 && i + 1 < operations) continue;
    DBusMessage* ping = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DRIVER_PATH, PEER_INTERFACE, "Ping");
    dbus_message_unref(call_and_wait(ping));
  }
}

/* Reads every value that an iterator has before it, whatever its type. */
static void read_values(DBusMessageIter* values) {
  for (int type; (type = dbus_message_iter_get_arg_type(values)) != DBUS_TYPE_INVALID;
       dbus_message_iter_next(values)) {
    if (dbus_type_is_basic(type)) {
      DBusBasicValue value;
      dbus_message_iter_get_basic(values, &value);
    } else {
      DBusMessageIter contents;
      dbus_message_iter_recurse(values, &contents);
      read_values(&contents);
    }
  }
}

static void get_managed_objects(unsigned operations) {
  for (unsigned i = 0; i < operations; i++) {
    DBusMessageIter values;
    DBusMessage* reply = call_and_wait(new_call("/", OBJECT_MANAGER_INTERFACE, "GetManagedObjects"));
    dbus_message_iter_init(reply, &values);
    read_values(&values);
    dbus_message_unref(reply);
  }
}

int main(int argc, char** argv) {
  DBusError error = DBUS_ERROR_INIT;
  harness_start(argc, argv);
  bool peer = harness_number("peer", 0);
  destination = peer ? NULL : BENCH_NAME;
  window = harness_number("window", 1);

  bus = dbus_connection_open_private(harness_address(), &error);
  if (bus == NULL || (!peer && !dbus_bus_register(bus, &error))) harness_fail("connecting", error.message);

  if (harness_workload_is("cold")) {
    sequential_calls(1);
    return harness_once();
  }
  if (harness_workload_is("calls"))
    return harness_serve(window == 1 ? sequential_calls : pipelined_calls, NULL);
  if (harness_workload_is("emit")) return harness_serve(emit_signals, NULL);
  if (harness_workload_is("objects")) return harness_serve(get_managed_objects, NULL);
  if (harness_workload_is("signals") || harness_workload_is("unmatched")) {
    subscribe();
    return harness_serve(receive_signals, NULL);
  }
  harness_fail("no such workload", argv[2]);
}
