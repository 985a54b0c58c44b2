/*
 * The shared code of the C peers: their parameters, the clock, and the protocol with the bench.
 *
 * A program is started as `PROGRAM ADDRESS WORKLOAD name=value…`. A client prints `ready`, then answers each
 * line `go N` on standard input by doing N operations and printing one line of JSON; it ends with its input.
 * A service prints `ready` when it owns its name, and runs until it is killed.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define BENCH_NAME "org.example.Bench"
#define BENCH_PATH "/org/example/bench"
#define BENCH_INTERFACE "org.example.Bench1"
/* An object with twenty properties, and the parent of many. */
#define WIDE_INTERFACE "org.example.Wide1"
#define WIDE_PATH BENCH_PATH "/wide"
#define MANAGER_PATH BENCH_PATH "/managed"
#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER_INTERFACE "org.freedesktop.DBus.ObjectManager"
#define PEER_INTERFACE "org.freedesktop.DBus.Peer"

/* Signals are emitted in bursts of this size: after each, a program waits until they have arrived at the
 * bus. */
#define BURST 1000

static int harness_argc;
static char** harness_argv;

/* Address of the bus and name of the workload, from the command line. */
static const char* harness_address(void) { return harness_argv[1]; }
static bool harness_workload_is(const char* name) { return strcmp(harness_argv[2], name) == 0; }

static const char* harness_text(const char* name, const char* otherwise) {
  size_t length = strlen(name);
  for (int i = 3; i < harness_argc; i++)
    if (strncmp(harness_argv[i], name, length) == 0 && harness_argv[i][length] == '=')
      return harness_argv[i] + length + 1;
  return otherwise;
}

static unsigned harness_number(const char* name, unsigned otherwise) {
  const char* text = harness_text(name, NULL);
  return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

static void harness_start(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s ADDRESS WORKLOAD [name=value]...\n", argv[0]);
    exit(2);
  }
  harness_argc = argc;
  harness_argv = argv;
  setvbuf(stdout, NULL, _IOLBF, 0);
}

static void harness_fail(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void harness_check(int result, const char* what) {
  if (result < 0) harness_fail(what, strerror(-result));
}

/* Sleeps as long as the workload says, so that messages queue up. */
static void harness_pause(void) { usleep(1000 * harness_number("pause", 0)); }

/* Texts to send: many different ones, so that no peer benefits from a cache of one. */
#define TEXTS 1000
static char harness_texts[TEXTS][32];
static const char* harness_next_text(void) {
  static unsigned next;
  if (harness_texts[0][0] == '\0')
    for (unsigned i = 0; i < TEXTS; i++)
      snprintf(harness_texts[i], sizeof harness_texts[i], "a text to echo, %u", i);
  return harness_texts[next++ % TEXTS];
}

/* User and system time of this process with all its threads, in microseconds. */
static double harness_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double harness_wall(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Follows the commands of the bench until it closes the input. `service_cpu` may be NULL. */
static int harness_serve(void (*operate)(unsigned operations), double (*service_cpu)(void)) {
  char line[64];
  puts("ready");
  while (fgets(line, sizeof line, stdin) != NULL) {
    unsigned operations;
    if (sscanf(line, "go %u", &operations) != 1) break;
    double service = service_cpu == NULL ? 0 : service_cpu();
    double cpu = harness_cpu(), wall = harness_wall();
    operate(operations);
    cpu = harness_cpu() - cpu;
    wall = harness_wall() - wall;
    printf("{\"operations\":%u,\"cpu\":%.1f,\"wall\":%.1f", operations, cpu, wall);
    if (service_cpu != NULL) printf(",\"serviceCpu\":%.1f", service_cpu() - service);
    puts("}");
  }
  return 0;
}

/* For a process that makes one call: its usage since it was started. */
static int harness_once(void) {
  printf("{\"operations\":1,\"cpu\":%.1f,\"wall\":0}\n", harness_cpu());
  return 0;
}
