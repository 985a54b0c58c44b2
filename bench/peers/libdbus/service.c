/* The libdbus service: an object path with a handler that tells its methods apart. */
#include <dbus/dbus.h>
#include <poll.h>

#include "../harness/harness.h"

static DBusMessage* echo(DBusMessage* call) {
  const char* text;
  if (!dbus_message_get_args(call, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID)) return NULL;
  DBusMessage* reply = dbus_message_new_method_return(call);
  dbus_message_append_args(reply, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
  return reply;
}

static DBusMessage* usage(DBusMessage* call) {
  double microseconds = harness_cpu();
  DBusMessage* reply = dbus_message_new_method_return(call);
  dbus_message_append_args(reply, DBUS_TYPE_DOUBLE, &microseconds, DBUS_TYPE_INVALID);
  return reply;
}

static DBusHandlerResult on_call(DBusConnection* bus, DBusMessage* call, void* data) {
  DBusMessage* reply = NULL;
  (void)data;
  if (dbus_message_is_method_call(call, BENCH_INTERFACE, "Echo"))
    reply = echo(call);
  else if (dbus_message_is_method_call(call, BENCH_INTERFACE, "Usage"))
    reply = usage(call);
  if (reply == NULL) return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
  dbus_connection_send(bus, reply, NULL);
  dbus_message_unref(reply);
  return DBUS_HANDLER_RESULT_HANDLED;
}

static void export_object(DBusConnection* connection) {
  static const DBusObjectPathVTable vtable = {.message_function = on_call};
  if (!dbus_connection_register_object_path(connection, BENCH_PATH, &vtable, NULL))
    harness_fail("exporting", "failed");
}

static void process_until_closed(DBusConnection* connection) {
  while (dbus_connection_read_write_dispatch(connection, -1)) continue;
}

static void serve_bus(void) {
  DBusError error = DBUS_ERROR_INIT;
  DBusConnection* bus = dbus_connection_open_private(harness_address(), &error);
  if (bus == NULL || !dbus_bus_register(bus, &error)) harness_fail("connecting", error.message);
  export_object(bus);
  if (dbus_bus_request_name(bus, harness_text("name", BENCH_NAME), 0, &error) < 0)
    harness_fail("the name", error.message);
  puts("ready");
  process_until_closed(bus);
}

static DBusWatch* listening;
static DBusConnection* accepted;

static dbus_bool_t on_watch(DBusWatch* watch, void* data) {
  (void)data;
  listening = watch;
  return TRUE;
}

static void on_watch_removed(DBusWatch* watch, void* data) { (void)watch, (void)data; }

static void on_connection(DBusServer* server, DBusConnection* connection, void* data) {
  (void)server, (void)data;
  accepted = dbus_connection_ref(connection);
}

/* Without a bus: one client after the other. libdbus leaves it to the program to wait for a client. */
static void serve_peers(void) {
  DBusError error = DBUS_ERROR_INIT;
  DBusServer* server = dbus_server_listen(harness_address(), &error);
  if (server == NULL) harness_fail("listening", error.message);
  dbus_server_set_new_connection_function(server, on_connection, NULL, NULL);
  dbus_server_set_watch_functions(server, on_watch, on_watch_removed, NULL, NULL, NULL);
  puts("ready");
  for (;;) {
    struct pollfd waiting = {.fd = dbus_watch_get_unix_fd(listening), .events = POLLIN};
    if (poll(&waiting, 1, -1) < 0) harness_fail("accepting", strerror(errno));
    dbus_watch_handle(listening, DBUS_WATCH_READABLE);
    if (accepted == NULL) continue;
    export_object(accepted);
    process_until_closed(accepted);
    dbus_connection_close(accepted);
    dbus_connection_unref(accepted);
    accepted = NULL;
  }
}

int main(int argc, char** argv) {
  harness_start(argc, argv);
  if (harness_number("peer", 0))
    serve_peers();
  else
    serve_bus();
}
