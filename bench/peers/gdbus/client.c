/* The GDBus client: GLib's main loop, and the worker thread that GDBus has for its input and output. */
#include <gio/gio.h>

#include "../harness/harness.h"

static GDBusConnection* bus;
/* NULL between peers, which have no names. */
static const char* destination;
static unsigned window;
static unsigned unsent, unanswered;

static void check(const char* what, GError* error) {
  if (error != NULL) harness_fail(what, error->message);
}

static void send_call(void);

static void on_reply(GObject* source, GAsyncResult* result, gpointer data) {
  GError* error = NULL;
  const char* text;
  (void)source, (void)data;
  GVariant* reply = g_dbus_connection_call_finish(bus, result, &error);
  check("Echo", error);
  g_variant_get(reply, "(&s)", &text);
  g_variant_unref(reply);
  unanswered--;
  if (unsent > 0) send_call();
}

static void send_call(void) {
  unsent--;
  unanswered++;
  g_dbus_connection_call(bus, destination, BENCH_PATH, BENCH_INTERFACE, "Echo",
                         g_variant_new("(s)", harness_next_text()), G_VARIANT_TYPE("(s)"),
                         G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_reply, NULL);
}

static void pipelined_calls(unsigned operations) {
  unsent = operations;
  while (unsent > 0 && unanswered < window) send_call();
  while (unanswered > 0) g_main_context_iteration(NULL, TRUE);
}

static GVariant* call_and_wait(const char* name, const char* path, const char* interface, const char* member,
                               GVariant* arguments) {
  GError* error = NULL;
  GVariant* reply = g_dbus_connection_call_sync(bus, name, path, interface, member, arguments, NULL,
                                                G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  check(member, error);
  return reply;
}

static void sequential_calls(unsigned operations) {
  for (unsigned i = 0; i < operations; i++) {
    const char* text;
    GVariant* reply = call_and_wait(destination, BENCH_PATH, BENCH_INTERFACE, "Echo",
                                    g_variant_new("(s)", harness_next_text()));
    g_variant_get(reply, "(&s)", &text);
    g_variant_unref(reply);
  }
}

static unsigned received;
static bool done;

static void on_properties_changed(GDBusConnection* connection, const char* sender, const char* path,
                                  const char* interface, const char* member, GVariant* arguments,
                                  gpointer data) {
  (void)connection, (void)sender, (void)path, (void)interface, (void)member, (void)data;
  GVariant* changed = g_variant_get_child_value(arguments, 1);
  gint16 rssi;
  if (!g_variant_lookup(changed, "RSSI", "n", &rssi)) harness_fail("PropertiesChanged", "has no RSSI");
  g_variant_unref(changed);
  received++;
}

static void on_done(GDBusConnection* connection, const char* sender, const char* path, const char* interface,
                    const char* member, GVariant* arguments, gpointer data) {
  (void)connection, (void)sender, (void)path, (void)interface, (void)member, (void)arguments, (void)data;
  done = true;
}

static void subscribe(const char* interface, const char* member, GDBusSignalCallback callback) {
  g_dbus_connection_signal_subscribe(bus, destination, interface, member, BENCH_PATH, NULL,
                                     G_DBUS_SIGNAL_FLAGS_NONE, callback, NULL, NULL);
}

/* Has the bus send signals here that no handler of this program wants. */
static void subscribe_without_handler(void) {
  const char* rule = "type='signal',path='" BENCH_PATH "',interface='" PROPERTIES_INTERFACE "'";
  g_variant_unref(call_and_wait("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                "AddMatch", g_variant_new("(s)", rule)));
}

static void receive_signals(unsigned operations) {
  received = 0;
  done = false;
  g_variant_unref(
      call_and_wait(destination, BENCH_PATH, BENCH_INTERFACE, "Emit", g_variant_new("(u)", operations)));
  harness_pause();
  while (!done) g_main_context_iteration(NULL, TRUE);
  if (harness_workload_is("signals") && received != operations) harness_fail("signals", "some were lost");
}

static void emit_signals(unsigned operations) {
  for (unsigned i = 0; i < operations; i++) {
    GError* error = NULL;
    GVariantBuilder changed;
    g_variant_builder_init(&changed, G_VARIANT_TYPE("a{sv}"));
    g_variant_builder_add(&changed, "{sv}", "RSSI", g_variant_new_int16((gint16)((int)(i % 100) - 100)));
    GVariant* arguments = g_variant_new("(sa{sv}as)", "org.bluez.Device1", &changed, NULL);
    g_dbus_connection_emit_signal(bus, NULL, BENCH_PATH, BENCH_INTERFACE, "Changed", arguments, &error);
    check("Changed", error);
    if ((i + 1) % BURST != 0 && i + 1 < operations) continue;
    g_variant_unref(
        call_and_wait("org.freedesktop.DBus", "/org/freedesktop/DBus", PEER_INTERFACE, "Ping", NULL));
  }
}

/* Reads every value, whatever its type. */
static void read_values(GVariant* value) {
  if (!g_variant_is_container(value)) {
    (void)g_variant_get_data(value);
    return;
  }
  GVariantIter children;
  g_variant_iter_init(&children, value);
  for (GVariant* child; (child = g_variant_iter_next_value(&children)) != NULL; g_variant_unref(child))
    read_values(child);
}

static void get_managed_objects(unsigned operations) {
  for (unsigned i = 0; i < operations; i++) {
    GVariant* reply = call_and_wait(destination, "/", OBJECT_MANAGER_INTERFACE, "GetManagedObjects", NULL);
    read_values(reply);
    g_variant_unref(reply);
  }
}

int main(int argc, char** argv) {
  GError* error = NULL;
  harness_start(argc, argv);
  bool peer = harness_number("peer", 0);
  destination = peer ? NULL : BENCH_NAME;
  window = harness_number("window", 1);

  GDBusConnectionFlags flags = G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT;
  if (!peer) flags |= G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION;
  bus = g_dbus_connection_new_for_address_sync(harness_address(), flags, NULL, NULL, &error);
  check("connecting", error);

  if (harness_workload_is("cold")) {
    sequential_calls(1);
    return harness_once();
  }
  if (harness_workload_is("calls"))
    return harness_serve(window == 1 ? sequential_calls : pipelined_calls, NULL);
  if (harness_workload_is("emit")) return harness_serve(emit_signals, NULL);
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
