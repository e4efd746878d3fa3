// SPDX-License-Identifier: BSL-1.0
// open_connection. Order and messages follow asyncio/base_events.py, create_connection.
#include "asyncio/detail/net/connect.hpp"

#include "asyncio/detail/net/operation_wait.hpp"
#include "asyncio/detail/net/resolver.hpp"
#include "asyncio/exception_group.hpp"
#include "asyncio/staggered.hpp"
#include "asyncio/streams.hpp"
#include "owned_socket.hpp"
#include "sockaddr.hpp"
#include "tls_layer.hpp"

#include <algorithm>
#include <cerrno>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <utility>

namespace asyncio {

namespace detail {

namespace {

void set_no_delay(Backend& backend, int fd) noexcept {
  int on = 1;
  // Refused for a socket that is not TCP, where there is nothing to delay.
  (void)backend.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// What the options say about TLS; nullopt for a plain connection. `host` is connected to.
std::optional<TlsOptions> tls_of(const ConnectOptions& options, const std::string& host) {
  const TlsStartOptions& start = options.get_tls();
  if (!options.get_ssl()) {
    if (start.get_server_hostname())
      throw ValueError("server_hostname is only meaningful with ssl");
    if (start.get_ssl_handshake_timeout())
      throw ValueError("ssl_handshake_timeout is only meaningful with ssl");
    if (start.get_ssl_shutdown_timeout())
      throw ValueError("ssl_shutdown_timeout is only meaningful with ssl");
    return std::nullopt;
  }
  TlsOptions tls(*options.get_ssl(), start.get_ssl_handshake_timeout(),
                 start.get_ssl_shutdown_timeout());
  tls.server_hostname = host;
  tls.set_server_hostname(start.get_server_hostname());
  tls.alpn_protocols = start.get_alpn_protocols();
  return tls;
}

/// The same for one who begins a connection.
std::optional<TlsOptions> client_tls_of(const ConnectOptions& options, const std::string& host) {
  if (options.get_ssl() && options.get_ssl()->purpose() != TlsPurpose::server_auth)
    throw ValueError("a client's context is made with TlsPurpose::server_auth");
  return tls_of(options, host);
}

/// The end of each open_connection and create_connection.
Coro<Ref<Connection>> opened(Backend& backend, OwnedSocket socket, std::size_t limit,
                             SocketAddress peer, std::optional<TlsOptions> tls) {
  auto connection = Ref<Connection>::adopt(new Connection(backend, socket.get(), limit, peer));
  socket.release();
  if (tls) {
    connection->start_tls(*tls);
    HandshakeWait handshake(connection);
    co_await std::move(handshake);
  }
  co_return connection;
}

Streams streams_of(const Ref<Connection>& connection) {
  return {StreamReader(connection), StreamWriter(connection)};
}

/// Binds to the first of `local` that fits the family of `address` and works.
void bind_local(Backend& backend, int fd, const SocketAddress& address,
                const std::vector<SocketAddress>& local) {
  std::exception_ptr error;
  for (const SocketAddress& candidate : local) {
    if (candidate.family() != address.family()) continue;
    RawAddress raw = SocketAddressAccess::to_raw(candidate);
    int bound = backend.bind(fd, raw.get(), raw.size);
    if (bound >= 0) return;
    if (!error) error = make_os_error(-bound, "bind " + candidate.str());
  }
  if (error) std::rethrow_exception(error);
  throw OSError(EADDRNOTAVAIL, "bind for " + address.str() + ": no matching local address");
}

Coro<OwnedSocket> connect_to(Backend& backend, SocketAddress address,
                             const std::vector<SocketAddress>& local, int proto) {
  int fd = backend.socket(system_family(address.family()), SOCK_STREAM, proto);
  if (fd < 0) throw_os_error(-fd, "socket for " + address.str());
  OwnedSocket socket(backend, fd);
  if (!local.empty()) bind_local(backend, fd, address, local);
  set_no_delay(backend, fd);
  RawAddress raw = SocketAddressAccess::to_raw(address);
  OperationWait connect(backend, Opcode::connect, fd);
  connect.address = raw.get();
  connect.address_size = raw.size;
  std::int64_t result = co_await std::move(connect);
  if (result < 0) throw_os_error(static_cast<int>(-result), "connect " + address.str());
  co_return socket;
}

/// CPython: _interleave_addrinfos.
std::vector<SocketAddress> interleaved(const std::vector<SocketAddress>& addresses,
                                       unsigned first_family_count) {
  if (addresses.empty() || first_family_count == 0) return addresses;
  AddressFamily first = addresses.front().family();
  std::vector<SocketAddress> ours, others, result;
  for (const SocketAddress& address : addresses)
    (address.family() == first ? ours : others).push_back(address);
  std::size_t head = std::min<std::size_t>(first_family_count - 1, ours.size());
  result.assign(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(head));
  std::size_t next = head;
  for (std::size_t i = 0; next < ours.size() || i < others.size(); ++i) {
    if (next < ours.size()) result.push_back(ours[next++]);
    if (i < others.size()) result.push_back(others[i]);
  }
  return result;
}

/// One error for all of them: of their common class, if they have one.
[[noreturn]] void throw_connect_errors(const std::vector<std::exception_ptr>& errors, bool all) {
  if (all) throw ExceptionGroup("create_connection failed", errors);
  if (errors.size() == 1) std::rethrow_exception(errors.front());
  std::string text;
  std::vector<std::error_code> codes;
  for (const std::exception_ptr& error : errors) {
    try {
      std::rethrow_exception(error);
    } catch (const OSError& e) {
      codes.push_back(e.code());
      // The exception adds the text of its own code, the last one's, itself.
      std::string one = e.what();
      std::size_t reason = one.rfind(": ");
      text += text.empty() ? "Multiple exceptions: " : ", ";
      text += codes.size() == errors.size() ? one.substr(0, reason) : one;
    }
  }
  bool same = std::all_of(codes.begin(), codes.end(),
                          [&](const std::error_code& code) { return code == codes.back(); });
  if (same) throw_os_error(codes.back().value(), text);
  throw OSError(codes.back().value(), text);
}

Coro<std::vector<SocketAddress>> resolve_local(Backend& backend, const ConnectOptions& options) {
  std::vector<SocketAddress> none;
  if (!options.get_local_host()) co_return none;
  ResolveRequest request(*options.get_local_host(), options.get_local_port());
  request.family = options.get_family();
  request.flags = options.get_flags() | AI_PASSIVE;
  co_return co_await resolve(backend, std::move(request));
}

/// RFC 8305: the first that connects wins; the sockets of the others are closed.
Coro<OwnedSocket> connect_to_fastest(Backend& backend, const std::vector<SocketAddress>& addresses,
                                     const std::vector<SocketAddress>& local,
                                     const ConnectOptions& options) {
  auto attempt_to = [&](const SocketAddress& address) {
    return [&backend, &local, &options, address] {
      return connect_to(backend, address, local, options.get_proto());
    };
  };
  std::vector<decltype(attempt_to(addresses.front()))> attempts;
  for (const SocketAddress& address : addresses) attempts.push_back(attempt_to(address));
  // Who gives up the connection does not care why an address was none.
  auto race = detail::staggered_race(std::move(attempts), options.get_happy_eyeballs_delay(),
                                     UnheardErrors::dropped);
  StaggeredResult<OwnedSocket> outcome = co_await std::move(race);
  if (!outcome.value) throw_connect_errors(outcome.errors, options.get_all_errors());
  co_return std::move(*outcome.value);
}

Coro<OwnedSocket> connect_to_any(Backend& backend, const std::vector<SocketAddress>& addresses,
                                 const std::vector<SocketAddress>& local,
                                 const ConnectOptions& options) {
  if (options.get_happy_eyeballs_delay() && addresses.size() > 1) {
    OwnedSocket fastest = co_await connect_to_fastest(backend, addresses, local, options);
    co_return fastest;
  }
  std::vector<std::exception_ptr> errors;
  for (const SocketAddress& address : addresses) {
    try {
      OwnedSocket socket = co_await connect_to(backend, address, local, options.get_proto());
      co_return socket;
    } catch (const OSError&) {
      errors.push_back(std::current_exception());
    }
  }
  throw_connect_errors(errors, options.get_all_errors());
}

/// The peer of a socket that was given to us; throws unless it is a connected stream socket.
SocketAddress checked_peer(Backend& backend, int fd) {
  int type = 0;
  std::uint32_t size = sizeof type;
  int got = backend.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, size);
  if (got < 0) throw_os_error(-got, "socket " + std::to_string(fd));
  if (type != SOCK_STREAM)
    throw ValueError("A Stream Socket was expected, got descriptor " + std::to_string(fd));
  RawAddress raw;
  got = backend.getpeername(fd, raw.get(), raw.size);
  if (got == -ENOTCONN)
    throw ValueError("a connected socket was expected, got descriptor " + std::to_string(fd));
  if (got < 0) throw_os_error(-got, "getpeername of descriptor " + std::to_string(fd));
  return SocketAddressAccess::from_raw(raw);
}

}  // namespace

Coro<Ref<Connection>> connect_path(Backend& backend, std::string path, ConnectOptions options) {
  check_limit(options.get_limit());
  SocketAddress address = SocketAddress::local(std::move(path));
  std::optional<TlsOptions> tls = client_tls_of(options, "");
  std::vector<SocketAddress> no_local;
  OwnedSocket socket = co_await connect_to(backend, address, no_local, 0);
  auto opening = opened(backend, std::move(socket), options.get_limit(), address, tls);
  Ref<Connection> connection = co_await std::move(opening);
  co_return connection;
}

Coro<Ref<Connection>> connect_host(Backend& backend, std::string host, ServicePort service,
                                   ConnectOptions options) {
  check_limit(options.get_limit());
  std::optional<TlsOptions> tls = client_tls_of(options, host);
  std::optional<std::uint16_t> port = service.number();
  if (!port) port = co_await look_up_port(backend, host, std::move(service));
  ResolveRequest request(host, *port);
  request.family = options.get_family();
  request.flags = options.get_flags();
  std::vector<SocketAddress> addresses = co_await resolve(backend, std::move(request));
  addresses = interleaved(addresses, options.get_interleave());
  std::vector<SocketAddress> local = co_await resolve_local(backend, options);
  OwnedSocket socket = co_await connect_to_any(backend, addresses, local, options);
  RawAddress raw;
  SocketAddress peer;
  if (backend.getpeername(socket.get(), raw.get(), raw.size) >= 0)
    peer = SocketAddressAccess::from_raw(raw);
  auto opening = opened(backend, std::move(socket), options.get_limit(), peer, tls);
  Ref<Connection> connection = co_await std::move(opening);
  co_return connection;
}

Coro<Ref<Connection>> connect_socket(Backend& backend, int sock, ConnectOptions options) {
  check_limit(options.get_limit());
  std::optional<TlsOptions> tls = tls_of(options, "");
  SocketAddress peer = checked_peer(backend, sock);
  backend.check_not_owned(sock);
  if (int error = backend.adopt(sock); error < 0)
    throw_os_error(-error, "descriptor " + std::to_string(sock));
  OwnedSocket socket(backend, sock);
  set_no_delay(backend, sock);
  auto opening = opened(backend, std::move(socket), options.get_limit(), peer, tls);
  Ref<Connection> connection = co_await std::move(opening);
  co_return connection;
}

}  // namespace detail

Coro<Streams> open_unix_connection(std::string path, ConnectOptions options) {
  detail::Backend& backend = detail::backend_of(detail::running_loop());
  auto connection = co_await detail::connect_path(backend, std::move(path), std::move(options));
  co_return detail::streams_of(connection);
}

Coro<Streams> open_connection(std::string host, ServicePort service, ConnectOptions options) {
  detail::Backend& backend = detail::backend_of(detail::running_loop());
  auto connection = co_await detail::connect_host(backend, std::move(host), std::move(service),
                                                  std::move(options));
  co_return detail::streams_of(connection);
}

Coro<Streams> open_connection(int sock, ConnectOptions options) {
  detail::Backend& backend = detail::backend_of(detail::running_loop());
  auto connection = co_await detail::connect_socket(backend, sock, std::move(options));
  co_return detail::streams_of(connection);
}

}  // namespace asyncio
