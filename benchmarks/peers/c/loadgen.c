/* SPDX-License-Identifier: BSL-1.0 */
/* Closed-loop TCP echo load generator (epoll, one thread).
   loadgen PORT CONNS BYTES WARM_S RUN_S [SERVER_PID [ws]]
   Each connection sends BYTES, waits for all of them to come back, repeats. One JSON line.
   With ws the bytes are a masked binary message to a WebSocket at /, and come back without mask. */
#include "../bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
struct conn {
  int fd;
  size_t sent, got;
  double t0;
  int wait_out;
};
static size_t B, back; /* bytes of a request, and of its answer */
static char *msg, *rbuf;
static int ep;
#define NB 4096
static uint64_t hist[NB]; /* log-linear: 64 sub-buckets per power of two of 100 ns */
static void rec(double s) {
  uint64_t v = (uint64_t)(s * 1e7);
  int e = 0;
  uint64_t q = v;
  while (q >= 128) {
    q >>= 1;
    e++;
  }
  size_t i = e ? 128 + (size_t)(e - 1) * 64 + (q - 64) : q;
  if (i >= NB) i = NB - 1;
  hist[i]++;
}
static double val(size_t i) {
  if (i < 128) return (double)i * 1e-7;
  size_t e = (i - 128) / 64 + 1, q = (i - 128) % 64 + 64;
  return (double)(q << e) * 1e-7;
}
static double pct(uint64_t n, double p) {
  uint64_t k = (uint64_t)((double)n * p), s = 0;
  for (size_t i = 0; i < NB; i++) {
    s += hist[i];
    if (s > k) return val(i);
  }
  return 0;
}
static int ask_upgrade(int fd) {
  static const char ask[] =
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  char head[4096];
  size_t got = 0;
  if (send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) < 0) return -1;
  while (got < 4 || memcmp(head + got - 4, "\r\n\r\n", 4) != 0) {
    ssize_t r = recv(fd, head + got, sizeof head - got, 0);
    if (r <= 0) return -1;
    got += (size_t)r;
  }
  return memcmp(head, "HTTP/1.1 101", 12) == 0 ? 0 : -1;
}
/* Turns the B bytes at msg into a frame of less than 64 KiB around them. */
static void make_frame(void) {
  static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
  size_t head = B < 126 ? 2 : 4;
  unsigned char* frame = malloc(head + 4 + B);
  frame[0] = 0x82;
  frame[1] = (unsigned char)(0x80 | (B < 126 ? B : 126));
  if (B >= 126) {
    frame[2] = (unsigned char)(B >> 8);
    frame[3] = (unsigned char)B;
  }
  memcpy(frame + head, mask, 4);
  for (size_t i = 0; i < B; i++) frame[head + 4 + i] = (unsigned char)msg[i] ^ mask[i & 3];
  msg = (char*)frame;
  back = head + B;
  B += head + 4;
}
static void push(struct conn* c) {
  while (c->sent < B) {
    ssize_t r = send(c->fd, msg + c->sent, B - c->sent, MSG_NOSIGNAL);
    if (r < 0) {
      if (errno == EAGAIN) {
        if (!c->wait_out) {
          struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
          epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
          c->wait_out = 1;
        }
        return;
      }
      perror("send");
      exit(1);
    }
    c->sent += (size_t)r;
  }
  if (c->wait_out) {
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
    c->wait_out = 0;
  }
}
int main(int argc, char** argv) {
  if (argc < 6) return 2;
  int port = atoi(argv[1]), C = atoi(argv[2]);
  B = (size_t)atol(argv[3]);
  double warm = atof(argv[4]), dur = atof(argv[5]);
  pid_t pid = argc > 6 ? atoi(argv[6]) : 0;
  int ws = argc > 7 && strcmp(argv[7], "ws") == 0;
  size_t asked = B;
  msg = malloc(B);
  memset(msg, 'x', B);
  back = B;
  if (ws) make_frame();
  rbuf = malloc(1 << 17);
  ep = epoll_create1(0);
  struct conn* cs = calloc((size_t)C, sizeof *cs);
  clockid_t sc = 0;
  int have = pid && clock_getcpuclockid(pid, &sc) == 0;
  for (int i = 0; i < C; i++) {
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = -1;
    for (int k = 0; k < 200; k++) {
      fd = socket(AF_INET, SOCK_STREAM, 0);
      if (connect(fd, (void*)&a, sizeof a) == 0) break;
      close(fd);
      fd = -1;
      usleep(20000);
    }
    if (fd < 0) {
      perror("connect");
      return 1;
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (ws && ask_upgrade(fd) < 0) {
      fprintf(stderr, "no WebSocket\n");
      return 1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    cs[i].fd = fd;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &cs[i]};
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
  }
  double start = bench_wall(), m0 = 0, c0 = 0, s0 = 0;
  uint64_t n = 0;
  int on = 0;
  struct timespec ts;
  struct epoll_event ev[256];
  for (int i = 0; i < C; i++) {
    cs[i].t0 = bench_wall();
    push(&cs[i]);
  }
  for (;;) {
    int k = epoll_wait(ep, ev, 256, 1000);
    double now = bench_wall();
    if (k == 0) {
      fprintf(stderr, "stalled\n");
      return 1;
    }
    if (!on && now - start >= warm) {
      on = 1;
      n = 0;
      memset(hist, 0, sizeof hist);
      m0 = now;
      c0 = bench_cpu();
      if (have) {
        clock_gettime(sc, &ts);
        s0 = (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
      }
    }
    if (on && now - m0 >= dur) break;
    for (int i = 0; i < k; i++) {
      struct conn* c = ev[i].data.ptr;
      if (ev[i].events & EPOLLOUT) push(c);
      if (!(ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
      ssize_t r = recv(c->fd, rbuf, 1 << 17, 0);
      if (r <= 0) {
        if (r < 0 && errno == EAGAIN) continue;
        fprintf(stderr, "closed %zd %d\n", r, errno);
        return 1;
      }
      c->got += (size_t)r;
      if (c->got == back) {
        double t = bench_wall();
        rec(t - c->t0);
        n++;
        c->got = c->sent = 0;
        c->t0 = t;
        push(c);
      } else if (c->got > back) {
        fprintf(stderr, "too much\n");
        return 1;
      }
    }
  }
  double w = bench_wall() - m0, cc = bench_cpu() - c0, sv = 0;
  if (have) {
    clock_gettime(sc, &ts);
    sv = (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec - s0;
  }
  printf(
      "{\"w\":\"M6\",\"n\":%lu,\"wall\":%.6f,\"cpu\":%.6f,\"client_cpu\":%.6f,\"rps\":%.1f,"
      "\"conns\":%d,\"bytes\":%zu,\"p50\":%.9f,\"p99\":%.9f,\"p999\":%.9f}\n",
      (unsigned long)n, w, sv, cc, (double)n / w, C, asked, pct(n, .5), pct(n, .99), pct(n, .999));
  return 0;
}
