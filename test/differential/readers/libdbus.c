/* Readings of libdbus: dbus_message_demarshal, every value through its iterators, and the same
 * values once more as its own encoder writes them. */
#include <dbus/dbus.h>
#include <unistd.h>

#include "reading.h"

static void print_value(DBusMessageIter* from, DBusMessageIter* to);

/* The rest of an iterator, as members of a list that has begun. */
static void print_values(DBusMessageIter* from, DBusMessageIter* to) {
  for (; dbus_message_iter_get_arg_type(from) != DBUS_TYPE_INVALID; dbus_message_iter_next(from)) {
    fputc(',', out);
    print_value(from, to);
  }
}

static void print_bytes(DBusMessageIter* items, DBusMessageIter* copy) {
  const uint8_t* bytes = NULL;
  int length = 0;
  dbus_message_iter_get_fixed_array(items, &bytes, &length);
  fprintf(out, "\"ay ");
  print_hexadecimal(bytes, (size_t)length);
  fputc('"', out);
  dbus_message_iter_append_fixed_array(copy, DBUS_TYPE_BYTE, &bytes, length);
}

static void print_array(const char* type, DBusMessageIter* from, DBusMessageIter* to) {
  DBusMessageIter items, copy;
  dbus_message_iter_recurse(from, &items);
  dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, type + 1, &copy);
  if (strcmp(type, "ay") == 0) {
    print_bytes(&items, &copy);
  } else if (type[1] == '{') {
    fprintf(out, "[\"%s\"", type);
    for (; dbus_message_iter_get_arg_type(&items) != DBUS_TYPE_INVALID; dbus_message_iter_next(&items)) {
      DBusMessageIter entry, entry_copy;
      dbus_message_iter_recurse(&items, &entry);
      dbus_message_iter_open_container(&copy, DBUS_TYPE_DICT_ENTRY, NULL, &entry_copy);
      print_values(&entry, &entry_copy);
      dbus_message_iter_close_container(&copy, &entry_copy);
    }
    fputc(']', out);
  } else {
    fprintf(out, "[\"%s\"", type);
    print_values(&items, &copy);
    fputc(']', out);
  }
  dbus_message_iter_close_container(to, &copy);
}

static void print_value(DBusMessageIter* from, DBusMessageIter* to) {
  const int code = dbus_message_iter_get_arg_type(from);
  if (dbus_type_is_basic(code)) {
    DBusBasicValue value;
    dbus_message_iter_get_basic(from, &value);
    print_basic((char)code, &value);
    /* Bytes have no descriptors, and only a descriptor can be written. */
    if (code == DBUS_TYPE_UNIX_FD) value.fd = STDIN_FILENO;
    dbus_message_iter_append_basic(to, code, &value);
    return;
  }
  char* type = dbus_message_iter_get_signature(from);
  DBusMessageIter items, copy;
  if (code == DBUS_TYPE_ARRAY) {
    print_array(type, from, to);
  } else if (code == DBUS_TYPE_VARIANT) {
    dbus_message_iter_recurse(from, &items);
    char* content = dbus_message_iter_get_signature(&items);
    dbus_message_iter_open_container(to, code, content, &copy);
    fprintf(out, "[\"v\"");
    print_values(&items, &copy);
    fputc(']', out);
    dbus_message_iter_close_container(to, &copy);
    dbus_free(content);
  } else {
    dbus_message_iter_recurse(from, &items);
    dbus_message_iter_open_container(to, code, NULL, &copy);
    fprintf(out, "[\"%s\"", type);
    print_values(&items, &copy);
    fputc(']', out);
    dbus_message_iter_close_container(to, &copy);
  }
  dbus_free(type);
}

static void print_header(DBusMessage* message) {
  fprintf(out, "\"outcome\":\"message\",\"type\":%d,\"serial\":%" PRIu32, dbus_message_get_type(message),
          dbus_message_get_serial(message));
  const uint32_t reply_serial = dbus_message_get_reply_serial(message);
  if (reply_serial != 0) {
    fprintf(out, ",\"replySerial\":%" PRIu32, reply_serial);
  } else {
    fprintf(out, ",\"replySerial\":null");
  }
  print_member("path", dbus_message_get_path(message));
  print_member("interface", dbus_message_get_interface(message));
  print_member("member", dbus_message_get_member(message));
  print_member("errorName", dbus_message_get_error_name(message));
  print_member("destination", dbus_message_get_destination(message));
  print_member("sender", dbus_message_get_sender(message));
  print_member("signature", dbus_message_get_signature(message));
}

static void print_written(DBusMessage* message) {
  char* bytes = NULL;
  int length = 0;
  dbus_message_set_serial(message, 1);
  if (!dbus_message_marshal(message, &bytes, &length)) return;
  fprintf(out, ",\"written\":\"");
  print_hexadecimal((const uint8_t*)bytes, (size_t)length);
  fputc('"', out);
  dbus_free(bytes);
}

static void read_message(const uint8_t* bytes, size_t length) {
  DBusError error = DBUS_ERROR_INIT;
  DBusMessage* message = dbus_message_demarshal((const char*)bytes, (int)length, &error);
  if (message == NULL) {
    print_outcome("nothing", error.message != NULL ? error.message : "");
    dbus_error_free(&error);
    return;
  }
  DBusMessage* copy = dbus_message_new_signal("/written", "org.example.Written", "Again");
  DBusMessageIter from, to;
  print_header(message);
  fprintf(out, ",\"body\":[");
  dbus_message_iter_init_append(copy, &to);
  if (dbus_message_iter_init(message, &from)) {
    print_value(&from, &to);
    dbus_message_iter_next(&from);
    print_values(&from, &to);
  }
  fputc(']', out);
  print_written(copy);
  dbus_message_unref(copy);
  dbus_message_unref(message);
}
