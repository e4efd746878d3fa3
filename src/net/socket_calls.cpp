// SPDX-License-Identifier: BSL-1.0
// The sock_... members of the loop. Order follows asyncio/selector_events.py: the call is tried at
// once, and again whenever the socket is ready.
#include "asyncio/address.hpp"
#include "asyncio/coro.hpp"
#include "asyncio/detail/net/operation_wait.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"
#include "owned_socket.hpp"
#include "sockaddr.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>

namespace asyncio {

namespace detail {

namespace {

/// The backend, after the checks of every call. As in CPython, whose calls are coroutines, they are
/// made when the call is awaited.
Backend& socket_backend(Loop& loop, int sock) {
  loop.check_schedulable();
  // As CPython, which asks in debug mode alone: it costs a system call.
  if (loop.debug()) {
    int flags = ::fcntl(sock, F_GETFL);
    if (flags >= 0 && !(flags & O_NONBLOCK)) throw ValueError("the socket must be non-blocking");
  }
  Backend& backend = backend_of(loop);
  backend.check_not_owned(sock);
  return backend;
}

/// An operation that is only attempted.
struct Attempt : Operation {
  /// What only sends does not write to `memory`.
  Attempt(Opcode what, int sock, const void* memory, std::size_t room)
      : Operation([](Ready&) {}, what, sock) {
    buffer = const_cast<void*>(memory);
    size = room;
  }
};

/// The socket is the caller's: nothing of it is remembered after the wait.
class Visit {
 public:
  Visit(Backend& backend, int sock) noexcept : backend_(backend), sock_(sock) {}
  ~Visit() { backend_.release(sock_); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  Backend& backend_;
  int sock_;
};

/// Does `op` as soon as it can be done. A cancellation takes nothing: only readiness is waited for.
Coro<std::size_t> done_when_ready(Backend& backend, Attempt& op, Opcode readiness,
                                  const char* name) {
  for (;;) {
    std::int64_t result = backend.attempt(op);
    if (result >= 0) co_return static_cast<std::size_t>(result);
    if (result != -EAGAIN) throw_os_error(static_cast<int>(-result), name + std::to_string(op.fd));
    Visit visit(backend, op.fd);
    OperationWait ready(backend, readiness, op.fd);
    co_await std::move(ready);
  }
}

Coro<std::size_t> receive(Loop& loop, int sock, std::span<char> room) {
  Backend& backend = socket_backend(loop, sock);
  Attempt op(Opcode::recv, sock, room.data(), room.size());
  std::size_t count =
      co_await done_when_ready(backend, op, Opcode::poll_readable, "recv of descriptor ");
  co_return count;
}

Coro<std::string> receive_bytes(Loop& loop, int sock, std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t received = co_await receive(loop, sock, bytes);
  bytes.resize(received);
  co_return bytes;
}

Coro<std::pair<std::size_t, SocketAddress>> receive_from(Loop& loop, int sock,
                                                         std::span<char> room) {
  Backend& backend = socket_backend(loop, sock);
  RawAddress sender;
  Attempt op(Opcode::recvfrom, sock, room.data(), room.size());
  op.address = sender.get();
  op.address_size = sender.size;
  std::size_t count =
      co_await done_when_ready(backend, op, Opcode::poll_readable, "recvfrom of descriptor ");
  co_return std::pair(count, SocketAddressAccess::from_raw(sender.get(), op.address_size));
}

Coro<std::pair<std::string, SocketAddress>> receive_bytes_from(Loop& loop, int sock,
                                                               std::size_t count) {
  std::string bytes(count, '\0');
  auto [received, sender] = co_await receive_from(loop, sock, bytes);
  bytes.resize(received);
  co_return std::pair(std::move(bytes), std::move(sender));
}

Coro<void> send_all(Loop& loop, int sock, std::string_view data) {
  Backend& backend = socket_backend(loop, sock);
  while (!data.empty()) {
    Attempt op(Opcode::send, sock, data.data(), data.size());
    std::size_t sent =
        co_await done_when_ready(backend, op, Opcode::poll_writable, "send to descriptor ");
    data.remove_prefix(sent);
  }
}

Coro<std::size_t> send_to(Loop& loop, int sock, std::string_view data, SocketAddress address) {
  Backend& backend = socket_backend(loop, sock);
  RawAddress receiver = SocketAddressAccess::to_raw(address);
  Attempt op(Opcode::sendto, sock, data.data(), data.size());
  op.address = receiver.get();
  op.address_size = receiver.size;
  std::size_t sent =
      co_await done_when_ready(backend, op, Opcode::poll_writable, "sendto by descriptor ");
  co_return sent;
}

Coro<void> connect_socket(Loop& loop, int sock, SocketAddress address) {
  Backend& backend = socket_backend(loop, sock);
  RawAddress raw = SocketAddressAccess::to_raw(address);
  Visit visit(backend, sock);
  OperationWait connect(backend, Opcode::connect, sock);
  connect.address = raw.get();
  connect.address_size = raw.size;
  std::int64_t result = co_await std::move(connect);
  if (result < 0) throw_os_error(static_cast<int>(-result), "connect " + address.str());
}

Coro<std::pair<int, SocketAddress>> accept_socket(Loop& loop, int sock) {
  Backend& backend = socket_backend(loop, sock);
  RawAddress peer;
  Attempt op(Opcode::accept, sock, nullptr, 0);
  op.address = peer.get();
  op.address_size = peer.size;
  std::size_t fd =
      co_await done_when_ready(backend, op, Opcode::poll_readable, "accept of descriptor ");
  co_return std::pair(static_cast<int>(fd),
                      SocketAddressAccess::from_raw(peer.get(), op.address_size));
}

}  // namespace

}  // namespace detail

Coro<std::string> EventLoop::sock_recv(int sock, std::size_t count) {
  return detail::receive_bytes(*loop_, sock, count);
}

Coro<std::size_t> EventLoop::sock_recv_into(int sock, std::span<char> room) {
  return detail::receive(*loop_, sock, room);
}

Coro<std::pair<std::string, SocketAddress>> EventLoop::sock_recvfrom(int sock, std::size_t count) {
  return detail::receive_bytes_from(*loop_, sock, count);
}

Coro<std::pair<std::size_t, SocketAddress>> EventLoop::sock_recvfrom_into(int sock,
                                                                          std::span<char> room) {
  return detail::receive_from(*loop_, sock, room);
}

Coro<void> EventLoop::sock_sendall(int sock, std::string_view data) {
  return detail::send_all(*loop_, sock, data);
}

Coro<std::size_t> EventLoop::sock_sendto(int sock, std::string_view data, SocketAddress address) {
  return detail::send_to(*loop_, sock, data, std::move(address));
}

Coro<void> EventLoop::sock_connect(int sock, SocketAddress address) {
  return detail::connect_socket(*loop_, sock, std::move(address));
}

Coro<std::pair<int, SocketAddress>> EventLoop::sock_accept(int sock) {
  return detail::accept_socket(*loop_, sock);
}

}  // namespace asyncio
