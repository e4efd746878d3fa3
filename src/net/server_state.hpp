// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/net/connection.hpp"
#include "asyncio/future.hpp"
#include "asyncio/server.hpp"
#include "sockaddr.hpp"
#include "tls_layer.hpp"

#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

namespace asyncio::detail {

/// What is behind a Server. CPython: asyncio/base_events.py, Server, with the accepting part of
/// selector_events.py.
///
/// It keeps itself alive from `open` until it is closed and its last connection has ended.
class ServerState final : public Resource,
                          public ConnectionOwner,
                          public std::enable_shared_from_this<ServerState> {
 public:
  ServerState(Backend& backend, std::shared_ptr<ClientHandler> handler, ServerOptions options);
  ~ServerState();

  /// Takes over a bound socket, unless it throws.
  void add_listener(int fd);
  /// The latest one is a Unix socket, whose file goes with it, unless it is another one by then.
  void name_listener(const SocketAddress& address);
  /// All listeners are there.
  void open();
  void start_serving();
  void close();
  void accept_backlog();
  void close_clients(bool at_once);
  void drain_clients();
  const ServerOptions& options() const noexcept { return options_; }
  bool serving() const noexcept { return serving_; }
  bool closed() const noexcept { return closed_; }
  bool ended() const noexcept { return ended_; }
  Loop& loop() const noexcept { return backend_.loop(); }
  std::vector<ListeningSocket> sockets() const;
  List<Waiter>& waiters() noexcept { return waiters_; }

  std::optional<Future<void>> serving_forever;

 private:
  struct Listener final : Operation, Timer, SocketHolder {
    Listener(ServerState& owner, int descriptor);
    Backend& socket_backend() const noexcept override { return server.backend_; }
    int socket_number() const noexcept override { return fd; }
    ServerState& server;
    RawAddress peer;
    std::string path;         // of the file to remove
    std::int64_t inode = -1;  // what it was
    bool pending = false;     // the operation is in the backend or in the ready queue
  };

  static void on_accept(Ready& node);
  static void on_retry(Ready& node);
  void accept_some(Listener& listener);
  bool accepted(Listener& listener, std::int64_t result);
  void add_client(int fd, const SocketAddress& peer);
  void connected(Ref<Connection> connection);
  void connection_ended(Connection& connection) noexcept override;
  void handshake_ended(Connection& connection, const std::exception_ptr& error) override;
  void loop_closing() noexcept override;
  std::vector<Ref<Connection>> clients() const;
  void stop_listening(Listener& listener) noexcept;
  void end_if_idle() noexcept;

  Backend& backend_;
  std::shared_ptr<ClientHandler> handler_;
  ServerOptions options_;
  std::optional<TlsOptions> tls_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_set<Connection*> clients_;
  List<Waiter> waiters_;
  std::shared_ptr<ServerState> self_;
  bool serving_ = false;
  bool starting_ = false;  // in start_serving: an error is its caller's
  bool closed_ = false;
  bool ended_ = false;  // closed and without connections
};

}  // namespace asyncio::detail
