/* The GDBus service: an object registered by its introspection data. */
#include <gio/gio.h>

#include "../harness/harness.h"

static const char introspection_xml[] =
    "<node><interface name='" BENCH_INTERFACE
    "'>"
    "<method name='Echo'><arg name='text' type='s' direction='in'/><arg name='text' type='s' "
    "direction='out'/></method>"
    "<method name='Usage'><arg name='microseconds' type='d' direction='out'/></method>"
    "</interface></node>";

static void on_call(GDBusConnection* connection, const char* sender, const char* path, const char* interface,
                    const char* member, GVariant* arguments, GDBusMethodInvocation* invocation,
                    gpointer data) {
  (void)connection, (void)sender, (void)path, (void)interface, (void)data;
  if (strcmp(member, "Usage") == 0) {
    g_dbus_method_invocation_return_value(invocation, g_variant_new("(d)", harness_cpu()));
    return;
  }
  const char* text;
  g_variant_get(arguments, "(&s)", &text);
  g_dbus_method_invocation_return_value(invocation, g_variant_new("(s)", text));
}

static void export_object(GDBusConnection* connection) {
  static const GDBusInterfaceVTable vtable = {.method_call = on_call};
  GError* error = NULL;
  GDBusNodeInfo* node = g_dbus_node_info_new_for_xml(introspection_xml, &error);
  if (node == NULL) harness_fail("introspection data", error->message);
  if (g_dbus_connection_register_object(connection, BENCH_PATH, node->interfaces[0], &vtable, NULL, NULL,
                                        &error) == 0)
    harness_fail("exporting", error->message);
}

static void serve_bus(void) {
  GError* error = NULL;
  GDBusConnection* bus = g_dbus_connection_new_for_address_sync(
      harness_address(),
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
      NULL, &error);
  if (bus == NULL) harness_fail("connecting", error->message);
  export_object(bus);
  GVariant* reply = g_dbus_connection_call_sync(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                                "org.freedesktop.DBus", "RequestName",
                                                g_variant_new("(su)", harness_text("name", BENCH_NAME), 0u),
                                                NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  if (reply == NULL) harness_fail("the name", error->message);
}

static gboolean on_connection(GDBusServer* server, GDBusConnection* connection, gpointer data) {
  (void)server, (void)data;
  export_object(g_object_ref(connection));
  return TRUE;
}

static void serve_peers(void) {
  GError* error = NULL;
  char* guid = g_dbus_generate_guid();
  GDBusServer* server =
      g_dbus_server_new_sync(harness_address(), G_DBUS_SERVER_FLAGS_NONE, guid, NULL, NULL, &error);
  if (server == NULL) harness_fail("listening", error->message);
  g_signal_connect(server, "new-connection", G_CALLBACK(on_connection), NULL);
  g_dbus_server_start(server);
}

int main(int argc, char** argv) {
  harness_start(argc, argv);
  if (harness_number("peer", 0))
    serve_peers();
  else
    serve_bus();
  puts("ready");
  g_main_loop_run(g_main_loop_new(NULL, FALSE));
}
