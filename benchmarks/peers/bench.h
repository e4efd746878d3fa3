/* SPDX-License-Identifier: BSL-1.0 */
/* Shared by the C and C++ yardstick programs: clocks, RSS, one JSON line per result. */
#ifndef PEER_BENCH_H
#define PEER_BENCH_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static inline double bench_wall(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static inline double bench_cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static inline long bench_rss(void) { /* bytes */
  long a = 0, b = 0;
  FILE* f = fopen("/proc/self/statm", "r");
  if (f) {
    if (fscanf(f, "%ld %ld", &a, &b) != 2) b = 0;
    fclose(f);
  }
  return b * sysconf(_SC_PAGESIZE);
}
/* one JSON object per line; extra is either "" or ,"k":v,... */
static inline void bench_report(const char* w, long n, double wall, double cpu, const char* extra) {
  printf("{\"w\":\"%s\",\"n\":%ld,\"wall\":%.9f,\"cpu\":%.9f%s}\n", w, n, wall, cpu,
         extra ? extra : "");
  fflush(stdout);
}
static inline int bench_warm(void) { return getenv("BENCH_NOWARM") == NULL; }
static inline void bench_pin_self(int core) { /* this thread only */
  cpu_set_t s;
  CPU_ZERO(&s);
  CPU_SET(core, &s);
  (void)pthread_setaffinity_np(pthread_self(), sizeof s, &s);
}
static inline int bench_cmp_double(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}
static inline uint64_t bench_rng(uint64_t* s) { /* xorshift64* */
  *s ^= *s >> 12;
  *s ^= *s << 25;
  *s ^= *s >> 27;
  return *s * 2685821657736338717ULL;
}
#endif
