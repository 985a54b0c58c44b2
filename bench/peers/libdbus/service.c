/* The libdbus service: an object path with a handler that tells its methods apart. */
#include <dbus/dbus.h>

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

int main(int argc, char** argv) {
  static const DBusObjectPathVTable vtable = {.message_function = on_call};
  DBusError error = DBUS_ERROR_INIT;
  harness_start(argc, argv);

  DBusConnection* bus = dbus_connection_open_private(harness_address(), &error);
  if (bus == NULL || !dbus_bus_register(bus, &error)) harness_fail("connecting", error.message);
  if (!dbus_connection_register_object_path(bus, BENCH_PATH, &vtable, NULL))
    harness_fail("exporting", "failed");
  if (dbus_bus_request_name(bus, harness_text("name", BENCH_NAME), 0, &error) < 0)
    harness_fail("the name", error.message);
  puts("ready");
  while (dbus_connection_read_write_dispatch(bus, -1)) continue;
}
