/* The shared code of the readers in C: messages in hexadecimal, one a line, and readings as JSON, one a line. See
 * reading.ts and typed-text.ts for their form. A program implements `read_message`, which prints the
 * members of one reading. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The output of readings. */
static FILE* out;

static void read_message(const uint8_t* bytes, size_t length);

static void print_escaped(const char* text) {
  for (; *text != '\0'; text++) {
    const unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') {
      fprintf(out, "\\%c", c);
    } else if (c < 0x20) {
      fprintf(out, "\\u%04x", c);
    } else {
      fputc(c, out);
    }
  }
}

static void print_text(const char* text) {
  fputc('"', out);
  print_escaped(text);
  fputc('"', out);
}

/* A member that is not the first one. */
static void print_member(const char* name, const char* text) {
  fprintf(out, ",\"%s\":", name);
  if (text == NULL) {
    fprintf(out, "null");
  } else {
    print_text(text);
  }
}

static void print_hexadecimal(const uint8_t* bytes, size_t length) {
  for (size_t i = 0; i < length; i++) fprintf(out, "%02x", bytes[i]);
}

/* A fault, which is the whole reading. */
static void print_outcome(const char* outcome, const char* because) {
  fprintf(out, "\"outcome\":\"%s\"", outcome);
  print_member("because", because);
}

static void print_double(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  if (isnan(value)) {
    fprintf(out, "\"d nan\"");
  } else {
    fprintf(out, "\"d %016" PRIx64 "\"", bits);
  }
}

/* A value of a basic type, from a union in which every member begins where it does. */
static void print_basic(char code, const void* value) {
  const union {
    uint8_t y;
    int16_t n;
    uint16_t q;
    int32_t i;
    uint32_t u;
    int64_t x;
    uint64_t t;
    double d;
    const char* s;
  }* at = value;
  switch (code) {
    case 'y':
      fprintf(out, "\"y %u\"", at->y);
      break;
    case 'b':
      fprintf(out, "\"b %s\"", at->u != 0 ? "true" : "false");
      break;
    case 'n':
      fprintf(out, "\"n %d\"", at->n);
      break;
    case 'q':
      fprintf(out, "\"q %u\"", at->q);
      break;
    case 'i':
      fprintf(out, "\"i %" PRId32 "\"", at->i);
      break;
    case 'u':
    case 'h':
      fprintf(out, "\"%c %" PRIu32 "\"", code, at->u);
      break;
    case 'x':
      fprintf(out, "\"x %" PRId64 "\"", at->x);
      break;
    case 't':
      fprintf(out, "\"t %" PRIu64 "\"", at->t);
      break;
    case 'd':
      print_double(at->d);
      break;
    default:
      fprintf(out, "\"%c ", code);
      print_escaped(at->s);
      fputc('"', out);
  }
}

static uint8_t digit_of(char c) { return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10); }

int main(void) {
  char* line = NULL;
  size_t size = 0;
  out = stdout;
  for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
    const size_t count = (size_t)length / 2;
    uint8_t* bytes = malloc(count > 0 ? count : 1);
    if (bytes == NULL) return 1;
    for (size_t i = 0; i < count; i++) {
      bytes[i] = (uint8_t)(digit_of(line[2 * i]) << 4 | digit_of(line[2 * i + 1]));
    }
    fputc('{', out);
    read_message(bytes, count);
    fputs("}\n", out);
    /* If a message ends the program, its line is missing, which identifies it. */
    fflush(out);
    free(bytes);
  }
  free(line);
  return 0;
}
