// SPDX-License-Identifier: BSL-1.0
#include "server_state.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "owned_socket.hpp"

#include <cerrno>
#include <new>
#include <utility>

namespace asyncio::detail {

namespace {

/// As CPython's constants.ACCEPT_RETRY_DELAY.
constexpr std::chrono::seconds kAcceptRetryDelay{1};

/// How many connections a listener takes before others have their turn.
constexpr int kAcceptsPerTurn = 100;

/// The connection is gone, or never was one; the listener is fine. See accept(2).
bool concerns_one_connection(int error) noexcept {
  switch (error) {
    case EAGAIN:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

bool lacks_resources(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// What the options say about TLS; nullopt for plain connections.
std::optional<TlsOptions> tls_of(const ServerOptions& options) {
  OptionalDelay handshake = options.get_ssl_handshake_timeout();
  OptionalDelay shutdown = options.get_ssl_shutdown_timeout();
  if (!options.get_ssl()) {
    if (handshake) throw ValueError("ssl_handshake_timeout is only meaningful with ssl");
    if (shutdown) throw ValueError("ssl_shutdown_timeout is only meaningful with ssl");
    return std::nullopt;
  }
  if (options.get_ssl()->purpose() != TlsPurpose::client_auth)
    throw ValueError("a server's context is made with TlsPurpose::client_auth");
  return TlsOptions(*options.get_ssl(), handshake, shutdown);
}

}  // namespace

ServerState::Listener::Listener(ServerState& owner, int descriptor)
    : Operation(&on_accept, Opcode::accept, descriptor), Timer(&on_retry), server(owner) {
  address = peer.get();
  repeated = true;
}

// The loop outlives the server.
ServerState::ServerState(Backend& backend, std::shared_ptr<ClientHandler> handler,
                         ServerOptions options)
    : backend_(backend),
      handler_(std::move(handler)),
      options_(std::move(options)),
      tls_(tls_of(options_)) {
  check_limit(options_.get_limit());
  loop().future_born();
}

ServerState::~ServerState() {
  for (auto& listener : listeners_) {
    backend_.forget(*listener);
    stop_listening(*listener);
  }
  loop().future_died();
}

void ServerState::add_listener(int fd) {
  auto listener = std::make_unique<Listener>(*this, fd);
  listeners_.reserve(listeners_.size() + 1);
  backend_.own(fd);  // the last that can fail: a listener in the list closes its socket
  listeners_.push_back(std::move(listener));
}

void ServerState::name_listener(const SocketAddress& address) {
  if (!options_.get_cleanup_socket() || address.path()[0] == '\0') return;
  listeners_.back()->path = address.path();
  listeners_.back()->inode = backend_.socket_inode(address.path().c_str());
}

/// CPython: _UnixSelectorEventLoop._stop_serving.
void ServerState::stop_listening(Listener& listener) noexcept {
  if (listener.fd < 0) return;
  backend_.disown(listener.fd);
  backend_.close_fd(std::exchange(listener.fd, -1));
  if (listener.inode >= 0 && backend_.socket_inode(listener.path.c_str()) == listener.inode)
    (void)backend_.unlink(listener.path.c_str());  // gone already is as good
}

void ServerState::open() {
  self_ = shared_from_this();
  backend_.add_resource(*this);
}

void ServerState::start_serving() {
  if (closed_) throw RuntimeError("server is closed");
  if (serving_) return;
  for (auto& listener : listeners_) {
    int result = backend_.listen(listener->fd, options_.get_backlog());
    if (result < 0) throw_os_error(-result, "listen on descriptor " + std::to_string(listener->fd));
  }
  serving_ = true;
  starting_ = true;
  try {
    for (auto& listener : listeners_)
      if (!closed_) accept_some(*listener);
  } catch (...) {  // Rethrown.
    starting_ = false;
    throw;
  }
  starting_ = false;
}

void ServerState::accept_some(Listener& listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    listener.address_size = sizeof listener.peer.storage;
    if (!backend_.start(listener)) {
      listener.pending = true;
      return;
    }
    if (!accepted(listener, listener.result)) return;
  }
  listener.pending = true;
  listener.result = -EAGAIN;
  loop().call_ready(static_cast<Operation&>(listener));
}

void ServerState::on_accept(Ready& node) {
  auto& listener = static_cast<Listener&>(static_cast<Operation&>(node));
  auto keep = listener.server.shared_from_this();
  listener.pending = false;
  if (keep->closed_) {
    if (listener.result >= 0) keep->backend_.close_fd(static_cast<int>(listener.result));
    keep->end_if_idle();
  } else if (keep->accepted(listener, listener.result)) {
    keep->accept_some(listener);
  }
}

/// CPython: BaseSelectorEventLoop._accept_connection. Returns whether to go on accepting.
bool ServerState::accepted(Listener& listener, std::int64_t result) {
  if (result >= 0) {
    try {
      add_client(static_cast<int>(result),
                 SocketAddressAccess::from_raw(listener.peer.get(), listener.address_size));
    } catch (...) {  // Goes to the exception handler; an interrupt is thrown on.
      loop().handle_callback_error(nullptr, "the start of a connection's handler");
    }
    return !closed_;
  }
  int error = static_cast<int>(-result);
  if (concerns_one_connection(error)) return true;
  bool retry = lacks_resources(error);
  if (starting_ && !retry)
    throw_os_error(error, "accept on descriptor " + std::to_string(listener.fd));
  try {
    ExceptionContext context(retry ? "socket.accept() out of system resource"
                                   : "Accept failed; the server no longer listens on the socket");
    context.set_exception(make_os_error(error, "accept"));
    loop().call_exception_handler(context);
  } catch (const std::bad_alloc&) {
    loop().report_briefly("accept failed", std::current_exception());
  }
  if (retry && !closed_) loop().arm(listener, deadline_after(loop().now_ns(), kAcceptRetryDelay));
  if (retry) return false;
  // Or clients would be let in, and wait for ever. A number that names nothing may be somebody
  // else's in a moment.
  if (error == EBADF) {
    backend_.disown(listener.fd);
    backend_.release(std::exchange(listener.fd, -1));
  } else {
    stop_listening(listener);
  }
  return false;
}

void ServerState::on_retry(Ready& node) {
  auto& listener = static_cast<Listener&>(static_cast<Timer&>(node));
  auto keep = listener.server.shared_from_this();
  if (!keep->closed_) keep->accept_some(listener);
}

void ServerState::add_client(int fd, const SocketAddress& peer) {
  OwnedSocket socket(backend_, fd);
  auto connection =
      Ref<Connection>::adopt(new Connection(backend_, fd, options_.get_limit(), peer));
  socket.release();
  connection->set_owner(this);
  clients_.insert(connection.get());
  if (tls_)
    connection->accept_tls(*tls_);
  else
    connected(std::move(connection));
}

void ServerState::connected(Ref<Connection> connection) {
  auto handler = handler_;  // it may end the server
  handler->connected(std::move(connection));
}

/// CPython: BaseSelectorEventLoop._accept_connection2.
void ServerState::handshake_ended(Connection& connection, const std::exception_ptr& error) {
  try {
    if (!error) return connected(Ref<Connection>::share(&connection));
    // What the user's callback threw is reported in any case.
    if (!loop().debug() && !connection.tls()->engine().callback_failed()) return;
    ExceptionContext context("Error on transport creation for incoming connection");
    context.set_exception(error);
    loop().call_exception_handler(context);
  } catch (...) {  // Goes to the exception handler; an interrupt is thrown on.
    loop().handle_callback_error(nullptr, "the start of a connection's handler");
  }
}

void ServerState::connection_ended(Connection& connection) noexcept {
  auto keep = shared_from_this();
  clients_.erase(&connection);
  end_if_idle();
}

/// A queue that new clients fill as fast as it is emptied is left at some time.
void ServerState::accept_backlog() {
  for (auto& listener : listeners_) {
    Operation accept(nullptr, Opcode::accept, listener->fd);
    RawAddress peer;
    accept.address = peer.get();
    for (int i = 0; serving_ && listener->fd >= 0 && i < options_.get_backlog(); ++i) {
      accept.address_size = sizeof peer.storage;
      std::int64_t result = backend_.attempt(accept);
      if (result < 0 && concerns_one_connection(static_cast<int>(-result)) && result != -EAGAIN)
        continue;
      if (result < 0) break;
      try {
        add_client(static_cast<int>(result),
                   SocketAddressAccess::from_raw(peer.get(), accept.address_size));
      } catch (...) {  // Goes to the exception handler; an interrupt is thrown on.
        loop().handle_callback_error(nullptr, "the start of a connection's handler");
      }
    }
  }
}

void ServerState::close() {
  if (closed_) return;
  closed_ = true;
  serving_ = false;
  for (auto& listener : listeners_) {
    if (listener->armed()) loop().disarm(*listener);
    stop_listening(*listener);
  }
  if (serving_forever) std::exchange(serving_forever, std::nullopt)->cancel();
  end_if_idle();
}

/// CPython: Server._wakeup.
void ServerState::end_if_idle() noexcept {
  if (!closed_ || !clients_.empty()) return;
  if (!ended_) {
    ended_ = true;
    for (Waiter& waiter : waiters_) waiter.fire();
  }
  for (auto& listener : listeners_)
    if (listener->pending) return;
  Resource::unlink();
  auto self = std::move(self_);
  // What it holds may hold this server.
  auto handler = std::move(handler_);
}

/// To go through while they end.
std::vector<Ref<Connection>> ServerState::clients() const {
  std::vector<Ref<Connection>> connections;
  for (Connection* client : clients_) connections.push_back(Ref<Connection>::share(client));
  return connections;
}

void ServerState::drain_clients() {
  for (auto& connection : clients()) connection->drain();
}

void ServerState::close_clients(bool at_once) {
  for (auto& connection : clients()) {
    if (at_once)
      connection->abort();
    else
      connection->close();
  }
}

/// The loop's queues are empty: what was pending will not run.
void ServerState::loop_closing() noexcept {
  auto keep = shared_from_this();
  for (Connection* client : std::exchange(clients_, {})) client->set_owner(nullptr);
  for (auto& listener : listeners_) {
    backend_.forget(*listener);
    // One that has ended by now has perhaps accepted a connection, of which nobody will hear.
    bool unheard =
        std::exchange(listener->pending, false) && listener->phase == Operation::Phase::ended;
    if (unheard && listener->result >= 0) backend_.close_fd(static_cast<int>(listener->result));
    stop_listening(*listener);
  }
  closed_ = true;
  serving_ = false;
  end_if_idle();
}

std::vector<ListeningSocket> ServerState::sockets() const {
  std::vector<ListeningSocket> sockets;
  if (closed_) return sockets;
  auto self = shared_from_this();
  for (const auto& listener : listeners_) {
    if (listener->fd < 0) continue;  // it has failed
    sockets.emplace_back(std::shared_ptr<const SocketHolder>(self, listener.get()));
  }
  return sockets;
}

void client_failed(Connection& connection, const std::exception_ptr& error) {
  try {
    ExceptionContext context("Unhandled exception in client_connected_cb");
    context.set_exception(error);
    connection.loop().call_exception_handler(context);
  } catch (const std::bad_alloc&) {
    connection.loop().report_briefly("client failed", error);
  }
  connection.close();
}

void client_task_done(const TaskHandle& task, Connection& connection) {
  if (task.cancelled()) return connection.close();
  if (std::exception_ptr error = task.exception()) client_failed(connection, error);
}

}  // namespace asyncio::detail
