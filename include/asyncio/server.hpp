// SPDX-License-Identifier: BSL-1.0
/// Servers: start_server and Server.
#pragma once

#include "asyncio/address.hpp"
#include "asyncio/coro.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "asyncio/time.hpp"
#include "asyncio/transport_socket.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {

/// What a server calls for each connection.
class ClientHandler : public std::enable_shared_from_this<ClientHandler> {
 public:
  virtual ~ClientHandler() = default;
  virtual void connected(Ref<Connection> connection) = 0;
};

/// What calls handler(StreamReader, StreamWriter).
class StreamsHandler : public ClientHandler {
 public:
  void connected(Ref<Connection> connection) final {
    serve(StreamReader(connection), StreamWriter(connection));
  }
  virtual void serve(StreamReader reader, StreamWriter writer) = 0;
};

/// Reports what a handler threw, and closes the connection.
void client_failed(Connection& connection, const std::exception_ptr& error);
/// The same for a handler that was a task.
void client_task_done(const TaskHandle& task, Connection& connection);

template <class F>
class TypedStreamsHandler final : public StreamsHandler {
 public:
  template <class G>
  explicit TypedStreamsHandler(G&& function) : function_(std::forward<G>(function)) {}

  void serve(StreamReader reader, StreamWriter writer) override {
    using Result = std::invoke_result_t<F&, StreamReader, StreamWriter>;
    Ref<Connection> connection = writer.connection();
    if constexpr (is_coro_v<Result>) {
      // The task keeps the handler, and with it the captures its coroutine refers to.
      auto task = spawn_call(connection->loop(), TaskOptions(), std::source_location(),
                             Call{shared()}, std::move(reader), std::move(writer));
      static_cast<TaskHandle>(task).add_done_callback(
          [connection = std::move(connection)](const TaskHandle& done) {
            client_task_done(done, *connection);
          });
    } else {
      try {
        (void)std::invoke(function_, std::move(reader), std::move(writer));
      } catch (const std::exception&) {
        client_failed(*connection, std::current_exception());
      }
    }
  }

 private:
  struct Call {
    auto operator()(StreamReader reader, StreamWriter writer) const {
      return std::invoke(handler->function_, std::move(reader), std::move(writer));
    }
    std::shared_ptr<TypedStreamsHandler> handler;
  };

  std::shared_ptr<TypedStreamsHandler> shared() {
    return std::static_pointer_cast<TypedStreamsHandler>(this->shared_from_this());
  }

  F function_;
};

}  // namespace detail

/// How start_server listens.
class ServerOptions {
 public:
  ServerOptions() {}

  /// How long a line of a connection's StreamReader may be.
  ServerOptions& limit(std::size_t bytes) {
    limit_ = bytes;
    return *this;
  }
  /// Restricts the addresses that are bound.
  ServerOptions& family(AddressFamily family) {
    family_ = family;
    return *this;
  }
  /// AI_... flags for the resolution of host names.
  ServerOptions& flags(int ai_flags) {
    flags_ = ai_flags;
    return *this;
  }
  /// How many connections may wait to be accepted; 100 by default.
  ServerOptions& backlog(int count) {
    backlog_ = count;
    return *this;
  }
  /// Binds an address that connections of an earlier server still occupy; on by default.
  ServerOptions& reuse_address(bool enabled) {
    reuse_address_ = enabled;
    return *this;
  }
  /// Several servers may listen on the address, and share its connections.
  ServerOptions& reuse_port(bool enabled) {
    reuse_port_ = enabled;
    return *this;
  }
  /// The system probes idle connections.
  ServerOptions& keep_alive(bool enabled) {
    keep_alive_ = enabled;
    return *this;
  }
  /// Removes the file of a Unix socket when the server is closed; on by default.
  ServerOptions& cleanup_socket(bool enabled) {
    cleanup_socket_ = enabled;
    return *this;
  }
  /// Speaks TLS; the context is for servers (TlsPurpose::client_auth) and has a certificate. The
  /// handler gets a connection when its handshake is over; a failed one is not reported but in
  /// debug mode.
  ServerOptions& ssl(TlsContext context) {
    ssl_ = std::move(context);
    return *this;
  }
  /// How long a handshake may take; 60 seconds by default.
  ServerOptions& ssl_handshake_timeout(Delay limit) {
    ssl_handshake_timeout_ = limit;
    return *this;
  }
  /// How long `close` of a connection waits for the peer's goodbye; 30 seconds by default.
  ServerOptions& ssl_shutdown_timeout(Delay limit) {
    ssl_shutdown_timeout_ = limit;
    return *this;
  }
  /// How long connections may go on when serve_forever ends: see Server::shutdown. By default, as
  /// in Python, as long as they like.
  ServerOptions& grace(Delay limit) {
    grace_ = limit;
    return *this;
  }
  /// Accepts at once; on by default. If not, Server::start_serving or serve_forever begins.
  ServerOptions& start_serving(bool enabled) {
    start_serving_ = enabled;
    return *this;
  }

  std::size_t get_limit() const noexcept { return limit_; }
  AddressFamily get_family() const noexcept { return family_; }
  int get_flags() const noexcept { return flags_; }
  int get_backlog() const noexcept { return backlog_; }
  bool get_reuse_address() const noexcept { return reuse_address_; }
  bool get_reuse_port() const noexcept { return reuse_port_; }
  bool get_keep_alive() const noexcept { return keep_alive_; }
  bool get_cleanup_socket() const noexcept { return cleanup_socket_; }
  bool get_start_serving() const noexcept { return start_serving_; }
  const std::optional<TlsContext>& get_ssl() const noexcept { return ssl_; }
  const OptionalDelay& get_grace() const noexcept { return grace_; }
  OptionalDelay get_ssl_handshake_timeout() const noexcept { return ssl_handshake_timeout_; }
  OptionalDelay get_ssl_shutdown_timeout() const noexcept { return ssl_shutdown_timeout_; }

 private:
  std::size_t limit_ = kDefaultLimit;
  AddressFamily family_ = AddressFamily::unspecified;
  int flags_ = 0;
  int backlog_ = 100;
  bool reuse_address_ = true;
  bool reuse_port_ = false;
  bool keep_alive_ = false;
  bool cleanup_socket_ = true;
  bool start_serving_ = true;
  std::optional<TlsContext> ssl_;
  OptionalDelay grace_;
  OptionalDelay ssl_handshake_timeout_;
  OptionalDelay ssl_shutdown_timeout_;
};

namespace detail {

class ServerState;

class [[nodiscard("co_await it")]] ServerWaitClosed final : public Waiter {
 public:
  explicit ServerWaitClosed(std::shared_ptr<ServerState> server) noexcept;
  bool await_ready() const noexcept;
  void await_suspend(PromiseBase& promise);
  void await_resume();
  AwaitableKind kind() const noexcept override { return AwaitableKind::server_wait_closed; }

 private:
  std::shared_ptr<ServerState> server_;
};

}  // namespace detail

/// Listening sockets and the connections that came from them. A handle: copies name the same
/// server. It goes on when the handles are gone; `close` stops it.
///
/// Thread   the loop's.
/// asyncio  Event Loop, Server Objects
class Server {
 public:
  /// Stops listening. Connections that exist go on; serve_forever ends with CancelledError. Clients
  /// that the system has let in and nobody has accepted yet are reset: see accept_backlog.
  void close() const;
  /// Accepts what waits for it at this moment, at once: for who is about to close() and owes those
  /// clients an answer. Harmless for a server that is not serving.
  void accept_backlog() const;
  /// Closes every connection, each when what it has to send is sent.
  void close_clients() const;
  /// Closes every connection at once.
  void abort_clients() const;

  /// Begins to accept, if it has not.
  ///
  /// Awaits   one iteration.
  Coro<void> start_serving() const;
  /// Accepts until it is cancelled or the server is closed.
  ///
  /// Throws   RuntimeError if the server is closed, or another task is in here.
  /// Cancel   closes the server and waits for the end of its connections, or with
  ///          ServerOptions::grace shuts it down; a second one ends the wait, and with `grace` also
  ///          the connections.
  Coro<void> serve_forever() const;
  bool is_serving() const noexcept;

  /// Ends the service in an orderly way: stops listening, and lets what clients have asked for be
  /// answered. On a connection at rest a read finds the end of the stream, at once or as soon as
  /// the handler reads on; at rest is one whose handler has written something since it last got
  /// bytes, or has not got any. Connections that are still there after `grace` are closed, and a
  /// quarter of a second later aborted; those of protocols are all closed after `grace`.
  ///
  /// Awaits   the end of every connection.
  /// Cancel   ends the wait alone.
  Coro<void> shutdown(Delay grace) const;

  /// Awaits   close() and the end of every connection.
  /// Cancel   ends the wait alone.
  detail::ServerWaitClosed wait_closed() const { return detail::ServerWaitClosed(state_); }

  /// What it listens on; nothing after close().
  std::vector<ListeningSocket> sockets() const;
  EventLoop get_loop() const;

  // For with(): closes the server and waits as wait_closed does.
  Server& aenter() noexcept { return *this; }
  Coro<bool> aexit(std::exception_ptr error) const;

  explicit Server(std::shared_ptr<detail::ServerState> state) noexcept : state_(std::move(state)) {}

 private:
  std::shared_ptr<detail::ServerState> state_;
};

namespace detail {

Coro<Server> start_server(std::shared_ptr<ClientHandler> handler, std::vector<std::string> hosts,
                          ServicePort service, ServerOptions options);
Coro<Server> start_server(std::shared_ptr<ClientHandler> handler, int sock, ServerOptions options);
Coro<Server> start_unix_server(std::shared_ptr<ClientHandler> handler, std::string path,
                               ServerOptions options);

template <class F>
std::shared_ptr<StreamsHandler> client_handler(F&& handler) {
  using Function = std::decay_t<F>;
  static_assert(std::is_invocable_v<Function&, StreamReader, StreamWriter>,
                "the handler must be callable as handler(StreamReader, StreamWriter)");
  check_named<F>();
  return std::make_shared<TypedStreamsHandler<Function>>(std::forward<F>(handler));
}

}  // namespace detail

/// Listens on all `hosts` (an empty one means all interfaces) and calls `handler(StreamReader,
/// StreamWriter)` for every connection. If that returns a Coro, each call becomes a task; what the
/// task throws goes to the loop's exception handler. The server keeps a copy of `handler`.
///
/// `service` is a port, or the name of its service: 80, "80", "http". With port 0 the system
/// chooses one: see Server::sockets.
///
/// Awaits   the resolution of names, and one iteration.
/// Throws   OSError with the address that cannot be bound; GaiError; ValueError if options of TLS
///          do not fit together, for a limit of 0 and for a number that is no port.
/// Cancel   nothing stays open.
/// Thread   the loop's.
/// asyncio  Streams, start_server
template <class F>
Coro<Server> start_server(F&& handler, std::vector<std::string> hosts, ServicePort service,
                          ServerOptions options = {}) {
  return detail::start_server(detail::client_handler(std::forward<F>(handler)), std::move(hosts),
                              std::move(service), std::move(options));
}

template <class F>
Coro<Server> start_server(F&& handler, std::string host, ServicePort service,
                          ServerOptions options = {}) {
  std::vector<std::string> hosts;
  hosts.push_back(std::move(host));
  return start_server(std::forward<F>(handler), std::move(hosts), std::move(service),
                      std::move(options));
}

/// The same on a bound socket that somebody else made. The server closes it, also if it cannot
/// listen; the caller still has it after an error that is about the descriptor itself.
///
/// Throws   ValueError unless `sock` is a stream socket; RuntimeError if something of this loop has
///          it; OSError if it is none, and for what cannot listen.
template <class F>
Coro<Server> start_server(F&& handler, int sock, ServerOptions options = {}) {
  return detail::start_server(detail::client_handler(std::forward<F>(handler)), sock,
                              std::move(options));
}

/// The same on a Unix socket at `path`; a path that begins with a zero byte is an abstract name.
/// The file of a server that did not remove it is replaced. Of the options those of addresses and
/// TCP mean nothing here.
///
/// Throws   OSError with the path if it cannot be bound; ValueError for a path that cannot be one.
/// asyncio  Streams, start_unix_server
template <class F>
Coro<Server> start_unix_server(F&& handler, std::string path, ServerOptions options = {}) {
  return detail::start_unix_server(detail::client_handler(std::forward<F>(handler)),
                                   std::move(path), std::move(options));
}

}  // namespace asyncio
