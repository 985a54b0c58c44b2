/* Reads a signature on each line of standard input; prints 1 for each that libdbus accepts, and 0 for others. */
#include <dbus/dbus.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  char* line = NULL;
  size_t size = 0;
  for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
    line[length - 1] = '\0';
    puts(dbus_signature_validate(line, NULL) ? "1" : "0");
  }
  free(line);
  return 0;
}
