/* SPDX-License-Identifier: BSL-1.0 */
/* Raw level-triggered epoll echo server: the near-ceiling of M6. */
#include "../bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
struct c {
  int fd;
  size_t off, len;
  char* pend;
};
static char buf[65536];
int main(int argc, char** argv) {
  int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, ep = epoll_create1(0);
  (void)argc;
  setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_port = htons((uint16_t)atoi(argv[1])),
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(l, (void*)&a, sizeof a) || listen(l, 4096)) {
    perror("bind");
    return 1;
  }
  struct c lc = {.fd = l};
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = &lc}, ev[256];
  epoll_ctl(ep, EPOLL_CTL_ADD, l, &e);
  for (;;) {
    int k = epoll_wait(ep, ev, 256, -1);
    for (int i = 0; i < k; i++) {
      struct c* c = ev[i].data.ptr;
      if (c == &lc) {
        int fd;
        while ((fd = accept4(l, 0, 0, SOCK_NONBLOCK)) >= 0) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          struct c* n = calloc(1, sizeof *n);
          n->fd = fd;
          e.events = EPOLLIN;
          e.data.ptr = n;
          epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
        }
        continue;
      }
      if (c->pend) {
        ssize_t w = send(c->fd, c->pend + c->off, c->len - c->off, MSG_NOSIGNAL);
        if (w < 0) {
          if (errno == EAGAIN) continue;
          close(c->fd);
          free(c->pend);
          free(c);
          continue;
        }
        c->off += (size_t)w;
        if (c->off < c->len) continue;
        free(c->pend);
        c->pend = 0;
        e.events = EPOLLIN;
        e.data.ptr = c;
        epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
        continue;
      }
      ssize_t r = recv(c->fd, buf, sizeof buf, 0);
      if (r < 0 && errno == EAGAIN) continue;
      if (r <= 0) {
        close(c->fd);
        free(c);
        continue;
      }
      ssize_t w = send(c->fd, buf, (size_t)r, MSG_NOSIGNAL);
      if (w < 0) w = 0;
      if (w < r) {
        c->len = (size_t)(r - w);
        c->off = 0;
        c->pend = malloc(c->len);
        memcpy(c->pend, buf + w, c->len);
        e.events = EPOLLOUT;
        e.data.ptr = c;
        epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
      }
    }
  }
}
