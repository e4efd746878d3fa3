/* SPDX-License-Identifier: BSL-1.0 */
/* libuv with a fixed response per "\r\n\r\n" seen: the near-ceiling of M7 (no HTTP parsing). */
#include <stdlib.h>
#include <string.h>
#include <uv.h>
static char slab[65536];
static const char R[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";
static void on_alloc(uv_handle_t* h, size_t n, uv_buf_t* b) {
  (void)h;
  (void)n;
  *b = uv_buf_init(slab, sizeof slab);
}
static void on_close(uv_handle_t* h) { free(h); }
static void on_write(uv_write_t* r, int st) {
  (void)st;
  free(r);
}
static void on_read(uv_stream_t* s, ssize_t n, const uv_buf_t* b) {
  if (n < 0) {
    uv_close((uv_handle_t*)s, on_close);
    return;
  }
  const char *p = b->base, *e = p + n;
  while ((p = memmem(p, (size_t)(e - p), "\r\n\r\n", 4))) {
    p += 4;
    uv_buf_t o = uv_buf_init((char*)R, sizeof R - 1);
    if (uv_try_write(s, &o, 1) != (int)(sizeof R - 1)) {
      uv_write_t* w = malloc(sizeof *w);
      uv_write(w, s, &o, 1, on_write);
    }
  }
}
static void on_conn(uv_stream_t* s, int st) {
  if (st < 0) return;
  uv_tcp_t* c = malloc(sizeof *c);
  uv_tcp_init(s->loop, c);
  if (uv_accept(s, (uv_stream_t*)c) == 0) {
    uv_tcp_nodelay(c, 1);
    uv_read_start((uv_stream_t*)c, on_alloc, on_read);
  } else
    uv_close((uv_handle_t*)c, on_close);
}
int main(int argc, char** argv) {
  uv_loop_t* l = uv_default_loop();
  uv_tcp_t s;
  struct sockaddr_in a;
  (void)argc;
  uv_tcp_init(l, &s);
  uv_ip4_addr("127.0.0.1", atoi(argv[1]), &a);
  if (uv_tcp_bind(&s, (void*)&a, 0) || uv_listen((uv_stream_t*)&s, 4096, on_conn)) return 1;
  return uv_run(l, UV_RUN_DEFAULT);
}
