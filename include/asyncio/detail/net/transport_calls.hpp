// SPDX-License-Identifier: BSL-1.0
/// The members of EventLoop that make transports. Order follows asyncio/base_events.py.
#pragma once

#include "asyncio/datagrams.hpp"
#include "asyncio/detail/net/connect.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/server.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/subprocess.hpp"
#include "asyncio/transports.hpp"

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// Gives a connection to a protocol, which is told in the next iteration.
std::shared_ptr<Transport> start_transport(Ref<Connection> connection,
                                           std::shared_ptr<BaseProtocol> protocol);

/// Begins a transport and waits for connection_made; a cancellation closes it.
Coro<std::shared_ptr<Transport>> make_transport(Ref<Connection> connection,
                                                std::shared_ptr<BaseProtocol> protocol);
Coro<std::shared_ptr<DatagramTransport>> make_datagrams(DatagramSocket socket,
                                                        std::shared_ptr<DatagramProtocol> protocol);
/// The same for a process with its pipes; a cancellation kills it and waits for its end.
Coro<std::shared_ptr<SubprocessTransport>> make_process(
    Loop& loop, std::shared_ptr<SubprocessProtocol> protocol, SubprocessOptions options,
    std::vector<std::string> args);

/// See EventLoop::start_tls.
Coro<std::shared_ptr<Transport>> start_tls(std::shared_ptr<Transport> transport,
                                           std::shared_ptr<BaseProtocol> protocol,
                                           TlsContext context, TlsStartOptions options = {});

/// See EventLoop::sendfile.
Coro<std::size_t> send_file(StreamWriter writer, int file, std::int64_t offset = 0,
                            std::optional<std::size_t> count = std::nullopt, bool fallback = true);
Coro<std::size_t> send_file(std::shared_ptr<Transport> transport, int file, std::int64_t offset = 0,
                            std::optional<std::size_t> count = std::nullopt, bool fallback = true);

/// What a factory makes.
template <class F>
using made_protocol_t = typename std::invoke_result_t<std::decay_t<F>&>::element_type;

template <class Base, class F>
consteval void check_factory() {
  check_named<F>();
  if constexpr (requires { typename made_protocol_t<F>; })
    static_assert(std::derived_from<made_protocol_t<F>, Base>,
                  "the factory makes a protocol for another kind of transport");
  else
    static_assert(never_v<F>,
                  "the protocol factory must be callable as factory() and return a "
                  "std::shared_ptr to a protocol");
}

template <class P>
using ProtocolFactory = std::function<std::shared_ptr<P>()>;

template <class P>
Coro<std::pair<std::shared_ptr<Transport>, std::shared_ptr<P>>> transport_on(
    ProtocolFactory<P> factory, Coro<Ref<Connection>> connecting) {
  Ref<Connection> connection = co_await std::move(connecting);
  std::shared_ptr<P> protocol = factory();
  std::shared_ptr<Transport> transport = co_await make_transport(std::move(connection), protocol);
  co_return std::pair(std::move(transport), std::move(protocol));
}

template <class P>
Coro<std::pair<std::shared_ptr<DatagramTransport>, std::shared_ptr<P>>> datagrams_on(
    ProtocolFactory<P> factory, Coro<DatagramSocket> opening) {
  DatagramSocket socket = co_await std::move(opening);
  std::shared_ptr<P> protocol = factory();
  std::shared_ptr<DatagramTransport> transport =
      co_await make_datagrams(std::move(socket), protocol);
  co_return std::pair(std::move(transport), std::move(protocol));
}

template <class P>
Coro<std::pair<std::shared_ptr<SubprocessTransport>, std::shared_ptr<P>>> process_on(
    Loop& loop, ProtocolFactory<P> factory, SubprocessOptions options,
    std::vector<std::string> args) {
  std::shared_ptr<P> protocol = factory();
  std::shared_ptr<SubprocessTransport> transport =
      co_await make_process(loop, protocol, std::move(options), std::move(args));
  co_return std::pair(std::move(transport), std::move(protocol));
}

/// Makes a protocol for each connection of a server.
template <class P>
class ProtocolHandler final : public ClientHandler {
 public:
  explicit ProtocolHandler(ProtocolFactory<P> factory) : factory_(std::move(factory)) {}
  void connected(Ref<Connection> connection) override {
    start_transport(std::move(connection), factory_());
  }

 private:
  ProtocolFactory<P> factory_;
};

template <class F>
std::shared_ptr<ClientHandler> protocol_handler(F&& factory) {
  check_factory<StreamProtocol, F>();
  using P = made_protocol_t<F>;
  return std::make_shared<ProtocolHandler<P>>(ProtocolFactory<P>(std::forward<F>(factory)));
}

/// A connection for a protocol, from what `connecting` gives.
template <class F>
auto transport_from(F&& factory, Coro<Ref<Connection>> connecting) {
  check_factory<StreamProtocol, F>();
  using P = made_protocol_t<F>;
  return transport_on<P>(ProtocolFactory<P>(std::forward<F>(factory)), std::move(connecting));
}

template <class F>
auto create_connection(Loop& loop, F&& factory, std::string host, ServicePort service,
                       ConnectOptions options = ConnectOptions()) {
  return transport_from(
      std::forward<F>(factory),
      connect_host(backend_of(loop), std::move(host), std::move(service), std::move(options)));
}
template <class F>
auto create_connection(Loop& loop, F&& factory, int sock,
                       ConnectOptions options = ConnectOptions()) {
  return transport_from(std::forward<F>(factory),
                        connect_socket(backend_of(loop), sock, std::move(options)));
}

template <class F>
Coro<Server> create_server(F&& factory, std::vector<std::string> hosts, ServicePort service,
                           ServerOptions options = ServerOptions()) {
  return start_server(protocol_handler(std::forward<F>(factory)), std::move(hosts),
                      std::move(service), std::move(options));
}
template <class F>
Coro<Server> create_server(F&& factory, std::string host, ServicePort service,
                           ServerOptions options = ServerOptions()) {
  return create_server(std::forward<F>(factory), strings(std::move(host)), std::move(service),
                       std::move(options));
}
template <class F>
Coro<Server> create_server(F&& factory, int sock, ServerOptions options = ServerOptions()) {
  return start_server(protocol_handler(std::forward<F>(factory)), sock, std::move(options));
}

}  // namespace asyncio::detail

namespace asyncio {

/// Connects as open_connection and gives the connection to the protocol that `factory()` makes: a
/// std::shared_ptr to a Protocol or BufferedProtocol. Arguments: factory, host, port or a connected
/// socket, ConnectOptions.
///
/// Awaits   the connection, and connection_made.
/// Returns  the transport and the protocol.
/// Throws   as open_connection.
/// Cancel   nothing stays open.
/// asyncio  Event Loop, Opening network connections
template <class... Args>
auto EventLoop::create_connection(Args&&... args) {
  return detail::create_connection(*loop_, std::forward<Args>(args)...);
}

/// The same for a Unix socket. Arguments: factory, path, ConnectOptions.
template <class... Args>
auto EventLoop::create_unix_connection(Args&&... args) {
  return [this]<class F>(F&& factory, std::string path, ConnectOptions options = ConnectOptions()) {
    return detail::transport_from(
        std::forward<F>(factory),
        detail::connect_path(detail::backend_of(*loop_), std::move(path), std::move(options)));
  }(std::forward<Args>(args)...);
}

/// Listens as start_server, with a protocol for each connection. Arguments: factory, host or a
/// std::vector of hosts, port, ServerOptions; or factory, a bound socket, ServerOptions. It is
/// called on the loop that runs.
///
/// asyncio  Event Loop, Creating network servers
template <class... Args>
auto EventLoop::create_server(Args&&... args) {
  return detail::create_server(std::forward<Args>(args)...);
}

/// The same on a Unix socket. Arguments: factory, path, ServerOptions.
template <class... Args>
auto EventLoop::create_unix_server(Args&&... args) {
  return []<class F>(F&& factory, std::string path, ServerOptions options = ServerOptions()) {
    return detail::start_unix_server(detail::protocol_handler(std::forward<F>(factory)),
                                     std::move(path), std::move(options));
  }(std::forward<Args>(args)...);
}

/// A transport on a connection that was accepted elsewhere. Arguments: factory, socket,
/// ConnectOptions, of which those of TLS mean something; its context is one for servers.
template <class... Args>
auto EventLoop::connect_accepted_socket(Args&&... args) {
  return detail::create_connection(*loop_, std::forward<Args>(args)...);
}

/// An endpoint for datagrams, for the DatagramProtocol that `factory()` makes. Arguments: factory,
/// DatagramOptions.
///
/// Awaits   the resolution of names, and connection_made.
/// Returns  the transport and the protocol.
/// Throws   OSError with the address; GaiError; ValueError for options that do not fit.
/// Cancel   nothing stays open.
/// asyncio  Event Loop, create_datagram_endpoint
template <class... Args>
auto EventLoop::create_datagram_endpoint(Args&&... args) {
  return [this]<class F>(F&& factory, DatagramOptions options) {
    detail::check_factory<DatagramProtocol, F>();
    using P = detail::made_protocol_t<F>;
    return detail::datagrams_on<P>(
        detail::ProtocolFactory<P>(std::forward<F>(factory)),
        detail::open_datagrams(detail::backend_of(*loop_), std::move(options)));
  }(std::forward<Args>(args)...);
}

/// The reading end of a pipe, or a terminal, for a protocol. Arguments: factory, descriptor, which
/// the transport closes.
///
/// Throws   ValueError for anything but a pipe, socket or character device.
/// asyncio  Event Loop, Working with pipes
template <class... Args>
auto EventLoop::connect_read_pipe(Args&&... args) {
  return [this]<class F>(F&& factory, int fd) {
    return detail::transport_from(
        std::forward<F>(factory),
        detail::connect_pipe(detail::backend_of(*loop_), fd, kDefaultLimit, false));
  }(std::forward<Args>(args)...);
}

/// The same for the writing end.
template <class... Args>
auto EventLoop::connect_write_pipe(Args&&... args) {
  return [this]<class F>(F&& factory, int fd) {
    return detail::transport_from(
        std::forward<F>(factory),
        detail::connect_pipe(detail::backend_of(*loop_), fd, kDefaultLimit, true));
  }(std::forward<Args>(args)...);
}

/// Starts a program for the SubprocessProtocol that `factory()` makes. Arguments: factory,
/// SubprocessOptions, program, arguments. Its stdin, stdout and stderr are as the options say,
/// which by default is the parent's own.
///
/// Awaits   connection_made.
/// Returns  the transport and the protocol.
/// Throws   as create_subprocess_exec.
/// Cancel   kills the program and waits for its end.
/// asyncio  Event Loop, Running Subprocesses
template <class... Args>
auto EventLoop::subprocess_exec(Args&&... args) {
  return [this]<class F, class... Words>(F&& factory, SubprocessOptions options, Words&&... words) {
    detail::check_factory<SubprocessProtocol, F>();
    using P = detail::made_protocol_t<F>;
    return detail::process_on<P>(*loop_, detail::ProtocolFactory<P>(std::forward<F>(factory)),
                                 std::move(options),
                                 detail::strings(std::forward<Words>(words)...));
  }(std::forward<Args>(args)...);
}

/// The same for a command line of /bin/sh. Arguments: factory, SubprocessOptions, command.
template <class... Args>
auto EventLoop::subprocess_shell(Args&&... args) {
  return [this]<class F>(F&& factory, SubprocessOptions options, std::string command) {
    std::string shell = options.get_executable().value_or("/bin/sh");
    return this->subprocess_exec(std::forward<F>(factory), std::move(options), std::move(shell),
                                 "-c", std::move(command));
  }(std::forward<Args>(args)...);
}

/// Speaks TLS from now on, as a server if the context is for servers, else as a client. Arguments:
/// the transport of a connection, a protocol, a TlsContext, TlsStartOptions. The protocol, usually
/// the one that the transport has, gets no connection_made. The old transport is of no use any
/// more, but to close the connection: writing to it is refused.
///
/// Awaits   the handshake. What was written before is sent before, as it is.
/// Returns  the transport to go on with. Nothing is received before the caller has it.
/// Throws   TypeError for a pipe, or a transport or protocol of another kind, as the transport of
///          streams, which have StreamWriter::start_tls; RuntimeError for a connection that speaks
///          TLS already; else as StreamWriter::start_tls. Of errors of the
///          handshake the protocol is told too, by connection_lost.
/// Cancel   closes the connection.
/// asyncio  Event Loop, TLS Upgrade
template <class... Args>
auto EventLoop::start_tls(Args&&... args) {
  return detail::start_tls(std::forward<Args>(args)...);
}

/// Sends a file from `offset` on to its end, or `count` bytes of it, by sendfile(2). Arguments: a
/// StreamWriter or a Transport, descriptor of the file, offset, count, fallback. Without `fallback`
/// a file or connection for which the system cannot do that is refused, else its bytes are read by
/// a thread and written. Writes of others are refused meanwhile.
///
/// Awaits   what was written before, and the peer.
/// Returns  how many bytes; fewer than `count` if the file ends before. The file's position is
///          behind them, also after an error.
/// Throws   RuntimeError if the transport is closing or not a socket's; ValueError for a count that
///          is not positive; SendfileNotAvailableError without `fallback`; OSError.
/// Cancel   part of the file may have been sent.
/// asyncio  Event Loop, Transferring files
template <class... Args>
auto EventLoop::sendfile(Args&&... args) {
  return detail::send_file(std::forward<Args>(args)...);
}

}  // namespace asyncio
