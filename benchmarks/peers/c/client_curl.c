/* SPDX-License-Identifier: BSL-1.0 */
/* M8 with libcurl's multi socket interface on epoll. client_curl URL N C */
#include "../bench.h"

#include <curl/curl.h>
#include <sys/epoll.h>
static CURLM* m;
static int ep;
static long left, running_goal, done;
static size_t total;
static long tmo = -1;
static size_t on_data(char* p, size_t a, size_t b, void* u) {
  (void)p;
  (void)u;
  total += a * b;
  return a * b;
}
static int on_sock(CURL* e, curl_socket_t s, int what, void* u, void* sp) {
  (void)e;
  (void)u;
  struct epoll_event ev = {.data.fd = s};
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(ep, EPOLL_CTL_DEL, s, &ev);
    curl_multi_assign(m, s, NULL);
    return 0;
  }
  ev.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
  epoll_ctl(ep, sp ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s, &ev);
  curl_multi_assign(m, s, (void*)1);
  return 0;
}
static int on_timer(CURLM* mm, long t, void* u) {
  (void)mm;
  (void)u;
  tmo = t;
  return 0;
}
static void go(CURL** h, int c, long n) {
  left = n;
  done = 0;
  total = 0;
  running_goal = n;
  int run;
  struct epoll_event ev[256];
  for (int i = 0; i < c && left > 0; i++, left--) curl_multi_add_handle(m, h[i]);
  while (done < running_goal) {
    if (tmo == 0) {
      tmo = -1;
      curl_multi_socket_action(m, CURL_SOCKET_TIMEOUT, 0, &run);
    }
    int k = epoll_wait(ep, ev, 256, tmo == 0 ? 0 : tmo > 0 ? (int)tmo : 1000);
    if (k == 0) {
      tmo = -1;
      curl_multi_socket_action(m, CURL_SOCKET_TIMEOUT, 0, &run);
    }
    for (int i = 0; i < k; i++)
      curl_multi_socket_action(m, ev[i].data.fd,
                               (ev[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                                   (ev[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                                   (ev[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0),
                               &run);
    CURLMsg* q;
    int inq;
    while ((q = curl_multi_info_read(m, &inq)))
      if (q->msg == CURLMSG_DONE) {
        if (q->data.result != CURLE_OK) {
          fprintf(stderr, "%s\n", curl_easy_strerror(q->data.result));
          exit(1);
        }
        CURL* e = q->easy_handle;
        curl_multi_remove_handle(m, e);
        done++;
        if (left > 0) {
          left--;
          curl_multi_add_handle(m, e);
        }
      }
  }
}
int main(int argc, char** argv) {
  (void)argc;
  long n = atol(argv[2]);
  int c = atoi(argv[3]);
  curl_global_init(CURL_GLOBAL_ALL);
  m = curl_multi_init();
  ep = epoll_create1(0);
  curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_sock);
  curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)c);
  curl_multi_setopt(m, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  CURL** h = malloc(sizeof *h * (size_t)c);
  for (int i = 0; i < c; i++) {
    h[i] = curl_easy_init();
    curl_easy_setopt(h[i], CURLOPT_URL, argv[1]);
    curl_easy_setopt(h[i], CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(h[i], CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h[i], CURLOPT_NOSIGNAL, 1L);
  }
  go(h, c, n / 10);
  double w = bench_wall(), p = bench_cpu();
  go(h, c, n);
  w = bench_wall() - w;
  p = bench_cpu() - p;
  if (total != (size_t)n * 1024) {
    fprintf(stderr, "bytes %zu\n", total);
    return 1;
  }
  bench_report("M8", n, w, p, "");
  return 0;
}
