/* SPDX-License-Identifier: BSL-1.0 */
/* libuv (C) on the workloads that have a meaning there: M2a (one loop turn per callback), M4a, M4c,
 * M10. */
#include "../bench.h"

#include <semaphore.h>
#include <uv.h>
static uv_loop_t L;
static long left, done;
/* M2a: libuv has no post(); an idle handle gives one callback per loop turn (includes a
 * zero-timeout poll) */
static void on_idle(uv_idle_t* h) {
  if (--left == 0) uv_idle_stop(h);
}
static void m2a(long n, double* w, double* c, char* x) {
  uv_idle_t id;
  uv_idle_init(&L, &id);
  left = n;
  (void)x;
  *w = bench_wall();
  *c = bench_cpu();
  uv_idle_start(&id, on_idle);
  uv_run(&L, UV_RUN_DEFAULT);
  *w = bench_wall() - *w;
  *c = bench_cpu() - *c;
  uv_close((uv_handle_t*)&id, NULL);
  uv_run(&L, UV_RUN_DEFAULT);
}
static void on_t(uv_timer_t* t) {
  done++;
  (void)t;
}
static void m4a(long n, double* w, double* c, char* x) { /* uv timers tick in ms */
  uint64_t r = 88172645463325252ULL;
  done = 0;
  (void)x;
  *w = bench_wall();
  *c = bench_cpu();
  uv_timer_t* t = malloc(sizeof *t * n);
  uv_update_time(&L);
  for (long i = 0; i < n; i++) {
    uv_timer_init(&L, &t[i]);
    uv_timer_start(&t[i], on_t, bench_rng(&r) % 100000 / 1000, 0);
  }
  uv_run(&L, UV_RUN_DEFAULT);
  *w = bench_wall() - *w;
  *c = bench_cpu() - *c;
  if (done != n) abort();
  for (long i = 0; i < n; i++) uv_close((uv_handle_t*)&t[i], NULL);
  uv_run(&L, UV_RUN_DEFAULT);
  free(t);
}
static void m4c(long n, double* w, double* c, char* x) {
  static uv_timer_t bg[10000];
  uint64_t r = 88172645463325252ULL;
  uv_timer_t t;
  (void)x;
  for (int i = 0; i < 10000; i++) {
    uv_timer_init(&L, &bg[i]);
    uv_timer_start(&bg[i], on_t, 30000 + bench_rng(&r) % 60000, 0);
  }
  uv_timer_init(&L, &t);
  *w = bench_wall();
  *c = bench_cpu();
  for (long i = 0; i < n; i++) {
    uv_timer_start(&t, on_t, 10000 + bench_rng(&r) % 60000, 0);
    uv_timer_stop(&t);
    if ((i & 1023) == 1023) uv_run(&L, UV_RUN_NOWAIT);
  }
  *w = bench_wall() - *w;
  *c = bench_cpu() - *c;
  for (int i = 0; i < 10000; i++) uv_close((uv_handle_t*)&bg[i], NULL);
  uv_close((uv_handle_t*)&t, NULL);
  uv_run(&L, UV_RUN_DEFAULT);
}
/* M10: uv_async_send plus a locked list (the usual hand-made call_soon_threadsafe) */
struct node {
  struct node* next;
  void (*f)(void);
};
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct node *head, **tail = &head;
static uv_async_t as;
static long total;
static sem_t sem;
static double* lat;
static void post(void (*f)(void)) {
  struct node* k = malloc(sizeof *k);
  k->next = NULL;
  k->f = f;
  pthread_mutex_lock(&mu);
  *tail = k;
  tail = &k->next;
  pthread_mutex_unlock(&mu);
  uv_async_send(&as);
}
static void on_async(uv_async_t* h) {
  pthread_mutex_lock(&mu);
  struct node* k = head;
  head = NULL;
  tail = &head;
  pthread_mutex_unlock(&mu);
  while (k) {
    struct node* nx = k->next;
    k->f();
    free(k);
    k = nx;
  }
  if (done == total) uv_close((uv_handle_t*)h, NULL);
}
static void inc(void) { done++; }
static void inc_post(void) {
  done++;
  sem_post(&sem);
}
static void* thr_a(void* p) {
  bench_pin_self(1);
  for (long i = 0; i < total; i++) post(inc);
  return p;
}
static void* thr_b(void* p) {
  bench_pin_self(1);
  for (long i = 0; i < total; i++) {
    double t = bench_wall();
    post(inc_post);
    sem_wait(&sem);
    lat[i] = bench_wall() - t;
  }
  return p;
}
static void m10(long n, double* w, double* c, void* (*f)(void*)) {
  pthread_t th;
  done = 0;
  total = n;
  uv_async_init(&L, &as, on_async);
  *w = bench_wall();
  *c = bench_cpu();
  pthread_create(&th, NULL, f, NULL);
  uv_run(&L, UV_RUN_DEFAULT);
  *w = bench_wall() - *w;
  *c = bench_cpu() - *c;
  pthread_join(th, NULL);
}
static void m10a(long n, double* w, double* c, char* x) {
  (void)x;
  m10(n, w, c, thr_a);
}
static void m10b(long n, double* w, double* c, char* x) {
  lat = malloc(sizeof(double) * n);
  sem_init(&sem, 0, 0);
  m10(n, w, c, thr_b);
  qsort(lat, n, sizeof(double), bench_cmp_double);
  sprintf(x, ",\"p50\":%.9f,\"p99\":%.9f", lat[n / 2], lat[n * 99 / 100]);
  free(lat);
}
int main(int argc, char** argv) {
  struct {
    const char* w;
    long n;
    int warm;
    void (*f)(long, double*, double*, char*);
  } T[] = {{"M2a", 10000000, 1, m2a},
           {"M4a", 1000000, 0, m4a},
           {"M4c", 1000000, 1, m4c},
           {"M10a", 1000000, 1, m10a},
           {"M10b", 100000, 1, m10b}};
  uv_loop_init(&L);
  for (unsigned i = 0; i < sizeof T / sizeof *T; i++)
    if (argc > 1 && !strcmp(argv[1], T[i].w)) {
      long n = argc > 2 ? atol(argv[2]) : T[i].n;
      double w, c;
      char x[256] = "";
      if (T[i].warm && bench_warm()) T[i].f(n / 10, &w, &c, x);
      x[0] = 0;
      T[i].f(n, &w, &c, x);
      bench_report(T[i].w, n, w, c, x);
      return 0;
    }
  return 2;
}
