/*
 * The sd-bus service: the reference for all clients, and itself measured as a service. It echoes, sends many
 * signals, delays answers, and has a tree of objects in the shape of BlueZ's.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

#include "harness.h"

static unsigned devices;

static int echo(sd_bus_message* call, void* data, sd_bus_error* error) {
  const char* text;
  (void)data, (void)error;
  int result = sd_bus_message_read(call, "s", &text);
  return result < 0 ? result : sd_bus_reply_method_return(call, "s", text);
}

static int echo_bytes(sd_bus_message* call, void* data, sd_bus_error* error) {
  const void* bytes;
  size_t size;
  sd_bus_message* reply = NULL;
  (void)data, (void)error;
  int result = sd_bus_message_read_array(call, 'y', &bytes, &size);
  if (result >= 0) result = sd_bus_message_new_method_return(call, &reply);
  if (result >= 0) result = sd_bus_message_append_array(reply, 'y', bytes, size);
  if (result >= 0) result = sd_bus_send(NULL, reply, NULL);
  sd_bus_message_unref(reply);
  return result < 0 ? result : 1;
}

/* Never answers. */
static int hold(sd_bus_message* call, void* data, sd_bus_error* error) {
  (void)call, (void)data, (void)error;
  return 1;
}

static int usage(sd_bus_message* call, void* data, sd_bus_error* error) {
  (void)data, (void)error;
  return sd_bus_reply_method_return(call, "d", harness_cpu());
}

/* Replies at once, then emits the requested number of PropertiesChanged, and one Done. */
static int emit(sd_bus_message* call, void* data, sd_bus_error* error) {
  sd_bus* bus = sd_bus_message_get_bus(call);
  uint32_t count;
  (void)data, (void)error;
  int result = sd_bus_message_read(call, "u", &count);
  if (result >= 0) result = sd_bus_reply_method_return(call, NULL);
  for (uint32_t i = 0; i < count && result >= 0; i++) {
    result = sd_bus_emit_signal(bus, harness_text("emits", BENCH_PATH), PROPERTIES_INTERFACE, "PropertiesChanged", "sa{sv}as",
                                "org.bluez.Device1", 1, "RSSI", "n", (int)(i % 100) - 100, 0);
    if (i % BURST == BURST - 1 && result >= 0) result = sd_bus_flush(bus);
  }
  return result < 0 ? result : sd_bus_emit_signal(bus, BENCH_PATH, BENCH_INTERFACE, "Done", NULL);
}

static const sd_bus_vtable bench_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_NAMES("Echo", "s", SD_BUS_PARAM(text), "s", SD_BUS_PARAM(text), echo,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("EchoBytes", "ay", SD_BUS_PARAM(bytes), "ay", SD_BUS_PARAM(bytes), echo_bytes,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("Hold", "s", SD_BUS_PARAM(text), "s", SD_BUS_PARAM(text), hold,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("Emit", "u", SD_BUS_PARAM(count), "", , emit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_NAMES("Usage", "", , "d", SD_BUS_PARAM(microseconds), usage,
                             SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL("Done", "", 0),
    SD_BUS_VTABLE_END,
};

/* The values of an object with twenty properties, and what it takes to have many of them. */
struct wide {
  char* texts[10];
  uint32_t numbers[6];
  int flags[4];
};

#define WIDE_TEXT(n) SD_BUS_PROPERTY("Text" #n, "s", NULL, offsetof(struct wide, texts[n]), 0)
#define WIDE_NUMBER(n) SD_BUS_PROPERTY("Number" #n, "u", NULL, offsetof(struct wide, numbers[n]), 0)
#define WIDE_FLAG(n) SD_BUS_PROPERTY("Flag" #n, "b", NULL, offsetof(struct wide, flags[n]), 0)

static const sd_bus_vtable wide_vtable[] = {
    SD_BUS_VTABLE_START(0),
    WIDE_TEXT(0),
    WIDE_TEXT(1),
    WIDE_TEXT(2),
    WIDE_TEXT(3),
    WIDE_TEXT(4),
    WIDE_TEXT(5),
    WIDE_TEXT(6),
    WIDE_TEXT(7),
    WIDE_TEXT(8),
    WIDE_TEXT(9),
    WIDE_NUMBER(0),
    WIDE_NUMBER(1),
    WIDE_NUMBER(2),
    WIDE_NUMBER(3),
    WIDE_NUMBER(4),
    WIDE_NUMBER(5),
    WIDE_FLAG(0),
    WIDE_FLAG(1),
    WIDE_FLAG(2),
    WIDE_FLAG(3),
    SD_BUS_VTABLE_END,
};

static void add_wide(sd_bus* bus, const char* path, unsigned number) {
  struct wide* values = calloc(1, sizeof *values);
  for (unsigned i = 0; i < 10; i++) {
    values->texts[i] = malloc(32);
    snprintf(values->texts[i], 32, "text %u of object %u", i, number);
  }
  for (unsigned i = 0; i < 6; i++) values->numbers[i] = number + i;
  for (unsigned i = 0; i < 4; i++) values->flags[i] = i % 2;
  harness_check(sd_bus_add_object_vtable(bus, NULL, path, WIDE_INTERFACE, wide_vtable, values),
                "sd_bus_add_object_vtable");
}

/* Objects whose properties sd-bus itself reads and sends. */
static void add_wide_objects(sd_bus* bus, unsigned managed) {
  add_wide(bus, WIDE_PATH, 0);
  harness_check(sd_bus_add_object_manager(bus, NULL, MANAGER_PATH), "sd_bus_add_object_manager");
  for (unsigned i = 0; i < managed; i++) {
    char path[64];
    snprintf(path, sizeof path, MANAGER_PATH "/%u", i);
    add_wide(bus, path, i);
  }
}

static int append_device(sd_bus_message* reply, unsigned i) {
  char path[64], address[32], name[32];
  snprintf(path, sizeof path, "/org/bluez/hci0/dev_A4_C1_38_00_%02X_%02X", i / 256, i % 256);
  snprintf(address, sizeof address, "A4:C1:38:00:%02X:%02X", i / 256, i % 256);
  snprintf(name, sizeof name, "Thermometer %u", i);
  int result = sd_bus_message_open_container(reply, 'e', "oa{sa{sv}}");
  if (result >= 0) result = sd_bus_message_append(reply, "o", path);
  if (result >= 0) result = sd_bus_message_open_container(reply, 'a', "{sa{sv}}");
  if (result >= 0)
    result = sd_bus_message_append(
        reply, "{sa{sv}}", "org.bluez.Device1", 15,                                //
        "Address", "s", address, "AddressType", "s", "public", "Name", "s", name,  //
        "Alias", "s", name, "Paired", "b", i % 2, "Trusted", "b", i % 2,           //
        "Blocked", "b", 0, "LegacyPairing", "b", 0, "RSSI", "n", -40 - (int)(i % 60), "Connected", "b",
        i % 3 == 0,                                                                                        //
        "UUIDs", "as", 2, "0000180f-0000-1000-8000-00805f9b34fb", "0000181a-0000-1000-8000-00805f9b34fb",  //
        "Adapter", "o", "/org/bluez/hci0", "TxPower", "n", 4, "ServicesResolved", "b", 0,                  //
        "ManufacturerData", "a{qv}", 1, 76, "ay", 4, 2, 21, i % 256, 7);
  if (result >= 0) result = sd_bus_message_append(reply, "{sa{sv}}", PROPERTIES_INTERFACE, 0);
  if (result >= 0) result = sd_bus_message_close_container(reply);
  if (result >= 0) result = sd_bus_message_close_container(reply);
  return result;
}

static int get_managed_objects(sd_bus_message* call, void* data, sd_bus_error* error) {
  sd_bus_message* reply = NULL;
  (void)data, (void)error;
  int result = sd_bus_message_new_method_return(call, &reply);
  if (result >= 0) result = sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}");
  for (unsigned i = 0; i < devices && result >= 0; i++) result = append_device(reply, i);
  if (result >= 0) result = sd_bus_message_close_container(reply);
  if (result >= 0) result = sd_bus_send(NULL, reply, NULL);
  sd_bus_message_unref(reply);
  return result < 0 ? result : 1;
}

static const char object_manager_xml[] =
    "<node><interface name='" OBJECT_MANAGER_INTERFACE
    "'><method name='GetManagedObjects'>"
    "<arg name='objects' type='a{oa{sa{sv}}}' direction='out'/></method></interface></node>";

/* sd-bus keeps this interface's vtable to itself, and its own answer would differ from the shape of BlueZ's.
 */
static int object_manager(sd_bus_message* call, void* data, sd_bus_error* error) {
  if (sd_bus_message_is_method_call(call, OBJECT_MANAGER_INTERFACE, "GetManagedObjects"))
    return get_managed_objects(call, data, error);
  if (sd_bus_message_is_method_call(call, "org.freedesktop.DBus.Introspectable", "Introspect"))
    return sd_bus_reply_method_return(call, "s", object_manager_xml);
  return 0;
}

static int every_object(sd_bus* bus, const char* path, const char* interface, void* data, void** found,
                        sd_bus_error* error) {
  (void)bus, (void)path, (void)interface, (void)error;
  *found = data;
  return 1;
}

static sd_bus* new_bus(void) {
  sd_bus* bus = NULL;
  harness_check(sd_bus_new(&bus), "sd_bus_new");
  // Every path below answers, for clients that have many proxies.
  harness_check(sd_bus_add_fallback_vtable(bus, NULL, BENCH_PATH, BENCH_INTERFACE, bench_vtable, every_object,
                                           &devices),
                "sd_bus_add_fallback_vtable");
  harness_check(sd_bus_add_object(bus, NULL, "/", object_manager, NULL), "sd_bus_add_object");
  unsigned managed = harness_number("managed", 0);
  if (managed > 0) add_wide_objects(bus, managed);
  return bus;
}

static int process_until_closed(sd_bus* bus) {
  for (;;) {
    int result = sd_bus_process(bus, NULL);
    if (result == 0) result = sd_bus_wait(bus, UINT64_MAX);
    if (result < 0) return result;
  }
}

/* Further names of the service, for clients that call it by many. */
static void request_names(sd_bus* bus) {
  unsigned names = harness_number("names", 0);
  for (unsigned i = 0; i < names; i++) {
    char name[64];
    snprintf(name, sizeof name, BENCH_NAME ".N%u", i);
    harness_check(sd_bus_request_name(bus, name, 0), "sd_bus_request_name");
  }
}

static void serve_bus(void) {
  sd_bus* bus = new_bus();
  harness_check(sd_bus_set_address(bus, harness_address()), "sd_bus_set_address");
  harness_check(sd_bus_set_bus_client(bus, true), "sd_bus_set_bus_client");
  harness_check(sd_bus_start(bus), "sd_bus_start");
  harness_check(sd_bus_request_name(bus, harness_text("name", BENCH_NAME), 0), "sd_bus_request_name");
  request_names(bus);
  puts("ready");
  harness_check(process_until_closed(bus), "the bus");
}

/* Without a bus: one client after the other, on the socket of the address. */
static void serve_peers(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char* path = strstr(harness_address(), "path=");
  if (path == NULL) harness_fail("the address", "has no path");
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path + strlen("path="));
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr*)&address, sizeof address) < 0 || listen(listener, 8) < 0)
    harness_fail("listening", strerror(errno));
  puts("ready");
  for (;;) {
    sd_bus* bus = new_bus();
    sd_id128_t id;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) harness_fail("accepting", strerror(errno));
    harness_check(sd_id128_randomize(&id), "sd_id128_randomize");
    harness_check(sd_bus_set_fd(bus, fd, fd), "sd_bus_set_fd");
    harness_check(sd_bus_set_server(bus, true, id), "sd_bus_set_server");
    harness_check(sd_bus_start(bus), "sd_bus_start");
    process_until_closed(bus);
    sd_bus_unref(bus);
  }
}

int main(int argc, char** argv) {
  harness_start(argc, argv);
  devices = harness_number("devices", 500);
  if (harness_number("peer", 0))
    serve_peers();
  else
    serve_bus();
}
