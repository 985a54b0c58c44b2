/*
 * Loads the addon without a JavaScript runtime, and calls its functions that need none: `host FILE`.
 *
 * This implements the part of Node-API that registration and four small functions need. Values are structs that are never
 * freed. stubs.mjs writes weak functions for the rest of Node-API, because the loader has to find all of them; one that is
 * called ends the program with its name.
 */
#define NAPI_VERSION 9
#include <dlfcn.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum type { UNDEFINED, NUMBER, STRING, OBJECT, FUNCTION };

struct napi_value__ {
  enum type type;
  double number;
  char* text;
  napi_callback method;
  void* data;
  struct property* properties;
};

struct property {
  char* name;
  napi_value value;
  struct property* next;
};

struct napi_callback_info__ {
  napi_value self;
  napi_value argument;
  void* data;
};

static struct napi_value__ undefined = {.type = UNDEFINED};
static void* instance_data;
static int failures;

static napi_value make(enum type type) {
  napi_value value = calloc(1, sizeof *value);
  value->type = type;
  return value;
}

static napi_value number(double of) {
  napi_value value = make(NUMBER);
  value->number = of;
  return value;
}

static napi_value function(napi_callback method, void* data) {
  napi_value value = make(FUNCTION);
  value->method = method;
  value->data = data;
  return value;
}

static void set(napi_value object, const char* name, napi_value value) {
  struct property* property = malloc(sizeof *property);
  *property = (struct property){strdup(name), value, object->properties};
  object->properties = property;
}

static napi_value get(napi_value object, const char* name) {
  for (struct property* property = object->properties; property != NULL; property = property->next) {
    if (strcmp(property->name, name) == 0) return property->value;
  }
  return &undefined;
}

/* The weak functions call this. */
napi_status unexpected(const char* name) {
  printf("not ok - calls only functions of the host: %s\n", name);
  exit(1);
}

napi_status napi_set_instance_data(node_api_basic_env env, void* data, napi_finalize finalize, void* hint) {
  instance_data = data;
  return napi_ok;
}

napi_status napi_get_instance_data(node_api_basic_env env, void** data) {
  *data = instance_data;
  return napi_ok;
}

/* Nothing is collected and the environment never ends, so nothing is finalized. */
napi_status napi_add_finalizer(napi_env env, napi_value object, void* data, node_api_basic_finalize finalize, void* hint,
                               napi_ref* result) {
  return napi_ok;
}

napi_status napi_open_handle_scope(napi_env env, napi_handle_scope* result) {
  *result = NULL;
  return napi_ok;
}

napi_status napi_close_handle_scope(napi_env env, napi_handle_scope scope) { return napi_ok; }

napi_status napi_get_undefined(napi_env env, napi_value* result) {
  *result = &undefined;
  return napi_ok;
}

napi_status napi_create_object(napi_env env, napi_value* result) {
  *result = make(OBJECT);
  return napi_ok;
}

napi_status napi_create_array_with_length(napi_env env, size_t length, napi_value* result) {
  return napi_create_object(env, result);
}

napi_status napi_create_double(napi_env env, double value, napi_value* result) {
  *result = number(value);
  return napi_ok;
}

napi_status napi_create_string_utf8(napi_env env, const char* text, size_t length, napi_value* result) {
  *result = make(STRING);
  (*result)->text = length == NAPI_AUTO_LENGTH ? strdup(text) : strndup(text, length);
  return napi_ok;
}

napi_status napi_set_named_property(napi_env env, napi_value object, const char* name, napi_value value) {
  set(object, name, value);
  return napi_ok;
}

napi_status napi_set_element(napi_env env, napi_value object, uint32_t index, napi_value value) {
  char name[11];
  snprintf(name, sizeof name, "%u", index);
  set(object, name, value);
  return napi_ok;
}

napi_status napi_define_properties(napi_env env, napi_value object, size_t count,
                                   const napi_property_descriptor* properties) {
  for (const napi_property_descriptor* property = properties; property < properties + count; property++) {
    const char* name = property->utf8name != NULL ? property->utf8name : property->name->text;
    set(object, name, property->method != NULL ? function(property->method, property->data) : property->value);
  }
  return napi_ok;
}

napi_status napi_define_class(napi_env env, const char* name, size_t length, napi_callback constructor, void* data,
                              size_t count, const napi_property_descriptor* properties, napi_value* result) {
  *result = function(constructor, data);
  return napi_define_properties(env, *result, count, properties);
}

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t* count, napi_value* arguments,
                             napi_value* self, void** data) {
  if (count != NULL) {
    for (size_t i = 0; i < *count; i++) arguments[i] = i == 0 ? info->argument : &undefined;
    *count = 1;
  }
  if (self != NULL) *self = info->self;
  if (data != NULL) *data = info->data;
  return napi_ok;
}

napi_status napi_coerce_to_number(napi_env env, napi_value value, napi_value* result) {
  *result = value;
  return value->type == NUMBER ? napi_ok : napi_number_expected;
}

napi_status napi_get_value_int32(napi_env env, napi_value value, int32_t* result) {
  *result = (int32_t)value->number;
  return napi_ok;
}

napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char* buffer, size_t size, size_t* result) {
  const size_t length = strlen(value->text);
  if (buffer != NULL) snprintf(buffer, size, "%s", value->text);
  if (result != NULL) *result = buffer == NULL || length < size ? length : size - 1;
  return napi_ok;
}

static void check(const char* statement, bool holds) {
  printf("%s - %s\n", holds ? "ok" : "not ok", statement);
  if (!holds) failures++;
}

static napi_value call(napi_value exports, const char* name, double argument) {
  napi_value method = get(exports, name);
  if (method->type != FUNCTION) return &undefined;
  struct napi_callback_info__ info = {exports, number(argument), method->data};
  return method->method(NULL, &info);
}

static bool is_number(napi_value value, double number) { return value->type == NUMBER && value->number == number; }

int main(int count, char** arguments) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  /* Now: every function that it could ever call has to exist. */
  void* module = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  if (module == NULL) {
    printf("not ok - loads: %s\n", count == 2 ? dlerror() : "which file?");
    return 1;
  }
  check("loads", true);

  int32_t (*version)(void) = (int32_t(*)(void))dlsym(module, "node_api_module_get_api_version_v1");
  check("is for Node-API 9", version != NULL && version() == 9);

  napi_addon_register_func start = (napi_addon_register_func)dlsym(module, "napi_register_module_v1");
  napi_value exports = make(OBJECT);
  check("registers", start != NULL && start(NULL, exports) == exports);
  check("exports its classes", get(exports, "Connection")->type == FUNCTION && get(exports, "Listener")->type == FUNCTION);

  check("refuses to close a descriptor that is not open", is_number(call(exports, "closeFd", -1), -9));
  const napi_value copy = call(exports, "duplicateFd", STDOUT_FILENO);
  check("duplicates a descriptor", copy->type == NUMBER && copy->number >= 3);
  check("closes it", is_number(call(exports, "closeFd", copy->number), 0));

  int ends[2];
  check("has a socket to inspect", socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const napi_value credentials = call(exports, "peerCredentials", ends[0]);
  check("knows the process at the other end", is_number(get(credentials, "pid"), getpid()));
  check("knows its user", is_number(get(credentials, "uid"), getuid()));

  const napi_value library = call(exports, "sdbusLibrary", 0);
  check("looks for an sd-bus library", library->type == UNDEFINED || library->type == STRING);
  return failures == 0 ? 0 : 1;
}
