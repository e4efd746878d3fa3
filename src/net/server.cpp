// SPDX-License-Identifier: BSL-1.0
// start_server and Server. Order follows asyncio/base_events.py, create_server and Server.
#include "asyncio/server.hpp"

#include "asyncio/detail/net/resolver.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/timeout.hpp"
#include "owned_socket.hpp"
#include "server_state.hpp"
#include "sockaddr.hpp"

#include <algorithm>
#include <cerrno>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace asyncio {

namespace detail {

ServerWaitClosed::ServerWaitClosed(std::shared_ptr<ServerState> server) noexcept
    : server_(std::move(server)) {}

bool ServerWaitClosed::await_ready() const noexcept { return server_->ended(); }

void ServerWaitClosed::await_suspend(PromiseBase& promise) {
  suspend_waiter(promise);
  server_->waiters().push_back(*this);
}

void ServerWaitClosed::await_resume() {
  bool cancelled = ended_cancelled();
  unlink();
  if (cancelled) throw_cancelled();
}

namespace {

void set_option(Backend& backend, int fd, int level, int name) {
  int on = 1;
  int result = backend.setsockopt(fd, level, name, &on, sizeof on);
  if (result < 0) throw_os_error(-result, "setsockopt");
}

void set_options(Backend& backend, int fd, const SocketAddress& address,
                 const ServerOptions& options) {
  if (address.family() == AddressFamily::local) return;  // they are for TCP
  if (options.get_reuse_address()) set_option(backend, fd, SOL_SOCKET, SO_REUSEADDR);
  if (options.get_reuse_port()) set_option(backend, fd, SOL_SOCKET, SO_REUSEPORT);
  if (options.get_keep_alive()) set_option(backend, fd, SOL_SOCKET, SO_KEEPALIVE);
  // Without it "::" would take the port of "0.0.0.0" as well.
  if (address.family() == AddressFamily::inet6) set_option(backend, fd, IPPROTO_IPV6, IPV6_V6ONLY);
  // Accepted connections inherit it.
  set_option(backend, fd, IPPROTO_TCP, TCP_NODELAY);
}

/// Makes and binds a socket; -1 if the system has no such address family.
int bound_socket(Backend& backend, const SocketAddress& address, const ServerOptions& options) {
  int fd = backend.socket(system_family(address.family()), SOCK_STREAM, 0);
  if (fd == -EAFNOSUPPORT) return -1;
  if (fd < 0) throw_os_error(-fd, "socket for " + address.str());
  OwnedSocket socket(backend, fd);
  set_options(backend, fd, address, options);
  RawAddress raw = SocketAddressAccess::to_raw(address);
  int result = backend.bind(fd, raw.get(), raw.size);
  // The family is compiled in but not enabled (bpo-30945).
  if (result == -EADDRNOTAVAIL) return -1;
  if (result < 0) throw_os_error(-result, "bind " + address.str());
  return socket.release();
}

Coro<std::vector<SocketAddress>> resolve_hosts(Backend& backend,
                                               const std::vector<std::string>& hosts,
                                               std::uint16_t port, const ServerOptions& options) {
  std::vector<SocketAddress> all;
  for (const std::string& host : hosts) {
    ResolveRequest request(host, port);
    request.family = options.get_family();
    request.flags = options.get_flags() | AI_PASSIVE;
    std::vector<SocketAddress> found = co_await resolve(backend, std::move(request));
    for (const SocketAddress& address : found)
      if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
  }
  co_return all;
}

std::string joined(const std::vector<SocketAddress>& addresses) {
  std::string text;
  for (const SocketAddress& address : addresses) text += (text.empty() ? "" : ", ") + address.str();
  return text;
}

void listen_on(ServerState& server, Backend& backend, const std::vector<SocketAddress>& addresses,
               const ServerOptions& options) {
  bool any = false;
  for (const SocketAddress& address : addresses) {
    int fd = bound_socket(backend, address, options);
    if (fd < 0) continue;
    OwnedSocket socket(backend, fd);
    server.add_listener(fd);
    socket.release();
    any = true;
  }
  if (!any) throw_os_error(EADDRNOTAVAIL, "bind on any address out of " + joined(addresses));
}

/// Binds a Unix socket, in the place of one that nobody removed. CPython: create_unix_server.
void listen_on_path(ServerState& server, Backend& backend, const SocketAddress& address,
                    const ServerOptions& options) {
  const char* path = address.path().c_str();
  if (backend.socket_inode(path) >= 0) {
    int result = backend.unlink(path);
    if (result < 0 && result != -ENOENT) throw_os_error(-result, "remove " + address.str());
  }
  OwnedSocket socket(backend, bound_socket(backend, address, options));
  try {
    server.add_listener(socket.get());
    socket.release();
    server.name_listener(address);
  } catch (...) {  // Rethrown: nobody else knows the file.
    (void)backend.unlink(path);
    throw;
  }
}

/// The end of each start_server.
Coro<Server> opened(std::shared_ptr<ServerState> state, bool start_serving) {
  state->open();
  Server server(state);
  if (start_serving) {
    try {
      state->start_serving();
      co_await sleep(std::chrono::seconds(0));
    } catch (...) {  // Rethrown.
      state->close();
      throw;
    }
  }
  co_return server;
}

/// Throws unless `fd` is a stream socket.
void check_stream_socket(Backend& backend, int fd) {
  int type = 0;
  std::uint32_t size = sizeof type;
  int got = backend.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, size);
  if (got < 0) throw_os_error(-got, "socket " + std::to_string(fd));
  if (type != SOCK_STREAM)
    throw ValueError("A Stream Socket was expected, got descriptor " + std::to_string(fd));
}

/// What is left of the time for a shutdown when the peers have had theirs: for the last bytes.
constexpr std::chrono::milliseconds kLastBytes{250};

/// Whether every connection has ended before `limit`.
Coro<bool> ends_within(std::shared_ptr<ServerState> server, Delay limit) {
  ServerWaitClosed closed(server);
  try {
    co_await wait_for(std::move(closed), limit);
  } catch (const TimeoutError&) {
    co_return false;
  }
  co_return true;
}

Coro<void> shut_down(std::shared_ptr<ServerState> server, Delay grace) {
  server->close();
  server->drain_clients();
  bool ended = co_await ends_within(server, grace);
  if (ended) co_return;
  server->close_clients(false);
  ended = co_await ends_within(server, kLastBytes);
  if (ended) co_return;
  server->close_clients(true);
  ServerWaitClosed closed(server);
  co_await std::move(closed);
}

/// The end of serve_forever. A second cancellation ends it: with a grace period it means haste.
Coro<void> end_service(std::shared_ptr<ServerState> server) {
  const OptionalDelay& grace = server->options().get_grace();
  try {
    if (grace) {
      co_await shut_down(server, *grace);
    } else {
      server->close();
      ServerWaitClosed closed(server);
      co_await std::move(closed);
    }
  } catch (const CancelledError&) {
    // As CPython, the first one is what goes on.
    if (grace) server->close_clients(true);
  }
}

Coro<void> serve_until_cancelled(std::shared_ptr<ServerState> server) {
  if (server->serving_forever)
    throw RuntimeError("server is already being awaited on serve_forever()");
  if (server->closed()) throw RuntimeError("server is closed");
  server->start_serving();
  Future<void> forever(server->loop().handle());
  server->serving_forever = forever;
  std::exception_ptr cancelled;
  try {
    co_await forever;
  } catch (const CancelledError&) {
    cancelled = std::current_exception();
  }
  server->serving_forever.reset();
  co_await end_service(server);
  std::rethrow_exception(cancelled);
}

}  // namespace

Coro<Server> start_server(std::shared_ptr<ClientHandler> handler, std::vector<std::string> hosts,
                          ServicePort service, ServerOptions options) {
  Backend& backend = backend_of(running_loop());
  auto state = std::make_shared<ServerState>(backend, std::move(handler), options);
  std::optional<std::uint16_t> port = service.number();
  if (!port) {
    std::string host;
    if (!hosts.empty()) host = hosts.front();
    port = co_await look_up_port(backend, std::move(host), std::move(service));
  }
  std::vector<SocketAddress> addresses = co_await resolve_hosts(backend, hosts, *port, options);
  listen_on(*state, backend, addresses, options);
  Server server = co_await opened(state, options.get_start_serving());
  co_return server;
}

Coro<Server> start_server(std::shared_ptr<ClientHandler> handler, int sock, ServerOptions options) {
  Backend& backend = backend_of(running_loop());
  auto state = std::make_shared<ServerState>(backend, std::move(handler), options);
  check_stream_socket(backend, sock);
  backend.check_not_owned(sock);
  if (int error = backend.adopt(sock); error < 0)
    throw_os_error(-error, "descriptor " + std::to_string(sock));
  OwnedSocket socket(backend, sock);
  state->add_listener(sock);
  socket.release();
  Server server = co_await opened(state, options.get_start_serving());
  co_return server;
}

Coro<Server> start_unix_server(std::shared_ptr<ClientHandler> handler, std::string path,
                               ServerOptions options) {
  Backend& backend = backend_of(running_loop());
  SocketAddress address = SocketAddress::local(std::move(path));
  auto state = std::make_shared<ServerState>(backend, std::move(handler), options);
  listen_on_path(*state, backend, address, options);
  Server server = co_await opened(state, options.get_start_serving());
  co_return server;
}

}  // namespace detail

void Server::close() const { state_->close(); }
void Server::accept_backlog() const { state_->accept_backlog(); }
void Server::close_clients() const { state_->close_clients(false); }
void Server::abort_clients() const { state_->close_clients(true); }
bool Server::is_serving() const noexcept { return state_->serving(); }
std::vector<ListeningSocket> Server::sockets() const { return state_->sockets(); }
EventLoop Server::get_loop() const { return state_->loop().handle(); }

Coro<void> Server::start_serving() const {
  auto state = state_;
  state->start_serving();
  co_await sleep(std::chrono::seconds(0));
}

Coro<void> Server::serve_forever() const { return detail::serve_until_cancelled(state_); }

Coro<void> Server::shutdown(Delay grace) const { return detail::shut_down(state_, grace); }

Coro<bool> Server::aexit(std::exception_ptr) const {
  auto state = state_;
  state->close();
  detail::ServerWaitClosed closed(state);
  co_await std::move(closed);
  co_return false;
}

}  // namespace asyncio
