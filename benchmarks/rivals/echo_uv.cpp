// SPDX-License-Identifier: BSL-1.0
// An echo server on libuv, with one receive buffer, which tries to send before it queues.
// usage: echo_uv tcp|unix|udp PATH
#include "listening.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <uv.h>

namespace {

char room[echo::kRoom];

/// A write that had to be queued, with its bytes.
struct Write {
  uv_write_t request;
  std::string bytes;
};

void give_room(uv_handle_t*, std::size_t, uv_buf_t* buffer) {
  *buffer = uv_buf_init(room, sizeof room);
}

template <class Handle>
void destroy(uv_handle_t* handle) {
  delete reinterpret_cast<Handle*>(handle);
}

template <class Handle>
void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  if (count < 0) return uv_close(reinterpret_cast<uv_handle_t*>(stream), &destroy<Handle>);
  if (count == 0) return;
  uv_buf_t data = uv_buf_init(buffer->base, static_cast<unsigned>(count));
  int sent = uv_try_write(stream, &data, 1);
  if (sent < 0) sent = 0;
  if (sent == count) return;
  auto* write =
      new Write{{}, std::string(buffer->base + sent, static_cast<std::size_t>(count - sent))};
  data = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  uv_write(&write->request, stream, &data, 1,
           [](uv_write_t* request, int) { delete reinterpret_cast<Write*>(request); });
}

/// `init(loop, handle)` makes what a connection is accepted into.
template <class Handle, int (*init)(uv_loop_t*, Handle*)>
void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* peer = new Handle;
  init(listener->loop, peer);
  auto* stream = reinterpret_cast<uv_stream_t*>(peer);
  if (uv_accept(listener, stream) == 0)
    uv_read_start(stream, &give_room, &on_read<Handle>);
  else
    uv_close(reinterpret_cast<uv_handle_t*>(peer), &destroy<Handle>);
}

int init_pipe(uv_loop_t* loop, uv_pipe_t* pipe) { return uv_pipe_init(loop, pipe, 0); }

void on_datagram(uv_udp_t* socket, ssize_t count, const uv_buf_t* buffer, const sockaddr* sender,
                 unsigned) {
  if (count < 0 || !sender) return;
  uv_buf_t data = uv_buf_init(buffer->base, static_cast<unsigned>(count));
  uv_udp_try_send(socket, &data, 1, sender);
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 2;
  std::signal(SIGPIPE, SIG_IGN);  // libuv leaves that to the program
  std::string kind = words[1];
  int sock = echo::listening_socket(kind, words[2]);
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t tcp;
  uv_pipe_t pipe;
  uv_udp_t udp;
  if (kind == "udp") {
    uv_udp_init(loop, &udp);
    uv_udp_open(&udp, sock);
    uv_udp_recv_start(&udp, &give_room, &on_datagram);
  } else if (kind == "unix") {
    uv_pipe_init(loop, &pipe, 0);
    uv_pipe_open(&pipe, sock);
    uv_listen(reinterpret_cast<uv_stream_t*>(&pipe), 4096, &on_connection<uv_pipe_t, &init_pipe>);
  } else {
    uv_tcp_init(loop, &tcp);
    uv_tcp_open(&tcp, sock);
    uv_listen(reinterpret_cast<uv_stream_t*>(&tcp), 4096, &on_connection<uv_tcp_t, &uv_tcp_init>);
  }
  return uv_run(loop, UV_RUN_DEFAULT);
}
