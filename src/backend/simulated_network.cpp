// SPDX-License-Identifier: BSL-1.0
#include "simulated_network.hpp"

#include "asyncio/detail/core/loop.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/uio.h>
#include <utility>

namespace asyncio::detail {

// --- Addresses --------------------------------------------------------------------------------

bool SimulatedNetwork::Address::operator==(const Address& other) const noexcept {
  return size == other.size && std::memcmp(&storage, &other.storage, size) == 0;
}

bool SimulatedNetwork::Address::local() const noexcept { return storage.ss_family == AF_UNIX; }

bool SimulatedNetwork::Address::wildcard() const noexcept {
  if (local()) return false;
  if (storage.ss_family == AF_INET)
    return reinterpret_cast<const sockaddr_in&>(storage).sin_addr.s_addr == INADDR_ANY;
  return IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr);
}

std::uint16_t SimulatedNetwork::Address::port() const noexcept {
  if (local()) return 0;
  if (storage.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
}

void SimulatedNetwork::Address::set_port(std::uint16_t port) noexcept {
  if (storage.ss_family == AF_INET)
    reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
  else
    reinterpret_cast<sockaddr_in6&>(storage).sin6_port = htons(port);
}

/// Empty for a Unix socket.
std::string SimulatedNetwork::Address::host() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* number = nullptr;
  if (storage.ss_family == AF_INET)
    number = &reinterpret_cast<const sockaddr_in&>(storage).sin_addr;
  else if (storage.ss_family == AF_INET6)
    number = &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
  return number && ::inet_ntop(storage.ss_family, number, text.data(), text.size()) ? text.data()
                                                                                    : "";
}

SimulatedNetwork::Socket* SimulatedNetwork::find(int fd) noexcept {
  auto it = sockets_.find(fd);
  return it == sockets_.end() ? nullptr : it->second.get();
}

SimulatedNetwork::Socket* SimulatedNetwork::find_listener(const Address& address) noexcept {
  for (auto& [number, socket] : sockets_) {
    if (socket->state != Socket::State::listening) continue;
    bool any = socket->local.wildcard() && socket->family == address.storage.ss_family &&
               socket->local.port() == address.port();
    if (any || socket->local == address) return socket.get();
  }
  return nullptr;
}

bool SimulatedNetwork::in_use(const Address& address, bool datagrams) noexcept {
  for (auto& [number, socket] : sockets_) {
    if (!socket->bound || socket->datagrams != datagrams ||
        socket->family != address.storage.ss_family || socket->local.port() != address.port())
      continue;
    if (socket->local == address || socket->local.wildcard() || address.wildcard()) return true;
  }
  return false;
}

// --- Calls that never wait --------------------------------------------------------------------

SimulatedNetwork::Socket& SimulatedNetwork::make_socket(int family) noexcept {
  auto socket = std::make_unique<Socket>();
  socket->number = next_number_++;
  socket->family = family;
  Socket& made = *socket;
  sockets_.emplace(made.number, std::move(socket));
  return made;
}

int SimulatedNetwork::socket(int family, int type, int) noexcept {
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) return -EAFNOSUPPORT;
  if (type != SOCK_STREAM && (type != SOCK_DGRAM || family == AF_UNIX)) return -EOPNOTSUPP;
  Socket& made = make_socket(family);
  made.datagrams = type == SOCK_DGRAM;
  return made.number;
}

int SimulatedNetwork::bind_to(Socket& socket, const Address& address) noexcept {
  Address wanted = address;
  if (!wanted.local() && wanted.port() == 0) {
    do {
      wanted.set_port(next_port_);
      next_port_ = next_port_ == 65535 ? kFirstPort : static_cast<std::uint16_t>(next_port_ + 1);
    } while (in_use(wanted, socket.datagrams));
  } else if (in_use(wanted, socket.datagrams)) {
    return -EADDRINUSE;
  }
  socket.local = wanted;
  socket.bound = true;
  return 0;
}

int SimulatedNetwork::bind(int fd, const sockaddr* address, std::uint32_t size) noexcept {
  Socket* socket = find(fd);
  if (!socket) return -EBADF;
  Address wanted;
  if (socket->bound || size > sizeof wanted.storage || address->sa_family != socket->family)
    return -EINVAL;
  std::memcpy(&wanted.storage, address, size);
  wanted.size = size;
  return bind_to(*socket, wanted);
}

int SimulatedNetwork::listen(int fd, int backlog) noexcept {
  Socket* socket = find(fd);
  if (!socket) return -EBADF;
  if (socket->datagrams) return -EOPNOTSUPP;
  if (!socket->bound || socket->state == Socket::State::connected) return -EINVAL;
  socket->state = Socket::State::listening;
  socket->backlog = static_cast<std::size_t>(std::max(backlog, 0));
  return 0;
}

/// Options shape what the operating system does; here there is nothing to shape.
int SimulatedNetwork::setsockopt(int fd, int level, int name, const void*, std::uint32_t) noexcept {
  if (!find(fd)) return -EBADF;
  return level == SOL_SOCKET && name == SO_REUSEPORT ? -ENOPROTOOPT : 0;
}

int SimulatedNetwork::getsockopt(int fd, int level, int name, void* value,
                                 std::uint32_t& size) noexcept {
  Socket* socket = find(fd);
  if (!socket) return -EBADF;
  if (level != SOL_SOCKET || size < sizeof(int)) return -ENOPROTOOPT;
  int result = 0;
  if (name == SO_TYPE)
    result = socket->datagrams ? SOCK_DGRAM : SOCK_STREAM;
  else if (name == SO_ERROR)
    result = std::exchange(socket->error, 0);
  else if (name == SO_PROTOCOL)
    result = socket->family == AF_UNIX ? 0 : socket->datagrams ? IPPROTO_UDP : IPPROTO_TCP;
  else
    return -ENOPROTOOPT;
  std::memcpy(value, &result, size = sizeof result);
  return 0;
}

int SimulatedNetwork::getsockname(int fd, sockaddr* address, std::uint32_t& size) noexcept {
  Socket* socket = find(fd);
  if (!socket) return -EBADF;
  std::memcpy(address, &socket->local.storage, std::min(size, socket->local.size));
  size = socket->local.size;
  return 0;
}

int SimulatedNetwork::getpeername(int fd, sockaddr* address, std::uint32_t& size) noexcept {
  Socket* socket = find(fd);
  if (!socket) return -EBADF;
  if (socket->state != Socket::State::connected) return -ENOTCONN;
  std::memcpy(address, &socket->remote.storage, std::min(size, socket->remote.size));
  size = socket->remote.size;
  return 0;
}

std::int64_t SimulatedNetwork::socket_inode(const char*) noexcept { return -ENOENT; }
int SimulatedNetwork::unlink(const char*) noexcept { return -ENOENT; }

int SimulatedNetwork::shutdown(int fd, int how) noexcept {
  Socket* socket = find(fd);
  if (!socket) return -EBADF;
  if (socket->state != Socket::State::connected) return -ENOTCONN;
  if (how == SHUT_RD || how == SHUT_RDWR) {
    socket->read_shut = true;
    notify(*socket, false);
  }
  if (how == SHUT_WR || how == SHUT_RDWR) {
    socket->write_shut = true;
    notify(*socket, true);
    if (socket->peer) send_piece(*socket->peer, Piece::Kind::end);
  }
  return 0;
}

int SimulatedNetwork::adopt(int fd) noexcept { return find(fd) ? 0 : -EBADF; }

int SimulatedNetwork::close_fd(int fd) noexcept {
  auto it = sockets_.find(fd);
  if (it == sockets_.end()) return -EBADF;
  std::unique_ptr<Socket> socket = std::move(it->second);
  sockets_.erase(it);
  lose_pieces(*socket);
  cancel_all(*socket);
  if (socket->state == Socket::State::connected) disconnect(*socket);
  for (int waiting : socket->accepted) {
    Socket* refused = find(waiting);
    if (refused->peer) reset(*refused->peer);
    lose_pieces(*refused);
    sockets_.erase(waiting);
  }
  // Who waits for a place in the backlog finds out that there is no listener.
  if (socket->state == Socket::State::listening) retry_connections();
  return 0;
}

/// Tells the peer of a socket that goes away: a reset if bytes of the peer's were not read.
void SimulatedNetwork::disconnect(Socket& socket) noexcept {
  Socket* peer = std::exchange(socket.peer, nullptr);
  if (!peer) return;
  if (!socket.incoming.empty()) return reset(*peer);
  peer->peer = nullptr;
  send_piece(*peer, Piece::Kind::end);
}

void SimulatedNetwork::reset(Socket& socket) noexcept {
  socket.peer = nullptr;
  send_piece(socket, Piece::Kind::reset);
}

// --- Operations -------------------------------------------------------------------------------

namespace {

bool writes(Opcode opcode) noexcept {
  switch (opcode) {
    case Opcode::connect:
    case Opcode::send:
    case Opcode::sendmsg:
    case Opcode::sendto:
    case Opcode::write:
    case Opcode::poll_writable:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool SimulatedNetwork::supports(Opcode opcode) const noexcept {
  switch (opcode) {
    case Opcode::accept:
    case Opcode::recv:
    case Opcode::recvfrom:
    case Opcode::read:
    case Opcode::poll_readable:
    case Opcode::close:
      return true;
    default:
      return writes(opcode);
  }
}

bool SimulatedNetwork::start(Operation& op) noexcept {
  op.phase = Operation::Phase::ended;
  Socket* socket = find(op.fd);
  if (!socket) {
    op.result = -EBADF;
    return true;
  }
  auto& waiting = writes(op.opcode) ? socket->writers : socket->readers;
  if (waiting.empty()) {
    op.result = attempt(op);
    if (op.result != -EAGAIN && op.result != -EINPROGRESS) return true;
  }
  op.phase = Operation::Phase::waiting;
  waiting.push_back(op);
  return false;
}

/// A connection takes a turn of the loop, as a real one does.
std::int64_t SimulatedNetwork::attempt(Operation& op) noexcept {
  Socket* socket = find(op.fd);
  if (!socket) return -EBADF;
  if (op.opcode != Opcode::connect || socket->datagrams) return perform(*socket, op);
  if (socket->state != Socket::State::fresh) return -EISCONN;
  send_piece(*socket, Piece::Kind::connection);
  return -EINPROGRESS;
}

void SimulatedNetwork::cancel(Operation& op) noexcept {
  if (op.phase != Operation::Phase::waiting) return;
  op.unlink();
  finish(op, -ECANCELED);
}

void SimulatedNetwork::forget(Operation& op) noexcept {
  op.unlink();
  if (op.phase == Operation::Phase::waiting) op.phase = Operation::Phase::idle;
}

std::int64_t SimulatedNetwork::perform(Socket& socket, Operation& op) noexcept {
  if (socket.datagrams) return perform_datagram(socket, op);
  switch (op.opcode) {
    case Opcode::accept:
      return perform_accept(socket, op);
    case Opcode::connect:
      return perform_connect(socket, op);
    case Opcode::recv:
      return perform_recv(socket, op.buffer, op.size, op.flags);
    case Opcode::read:
      return perform_recv(socket, op.buffer, op.size, 0);
    case Opcode::send:
    case Opcode::write:
      return perform_send(socket, op.buffer, op.size);
    case Opcode::sendmsg:
      return perform_sendmsg(socket, op);
    case Opcode::poll_readable:
      return readable(socket) ? 1 : -EAGAIN;
    case Opcode::poll_writable:
      return writable(socket) ? 1 : -EAGAIN;
    case Opcode::close:
      return close_fd(op.fd);
    default:
      return -EOPNOTSUPP;
  }
}

bool SimulatedNetwork::readable(const Socket& socket) noexcept {
  if (socket.state == Socket::State::listening) return !socket.accepted.empty();
  return !socket.incoming.empty() || socket.error || socket.end_received || socket.read_shut;
}

bool SimulatedNetwork::writable(const Socket& socket) noexcept {
  if (socket.state != Socket::State::connected) return false;
  return socket.error || socket.write_shut || !socket.peer || room(*socket.peer) > 0;
}

/// The client's own address: a port of the address that it connects to; a Unix socket has none.
void SimulatedNetwork::give_name(Socket& socket, const Address& remote) noexcept {
  if (remote.local()) {
    socket.local.storage.ss_family = AF_UNIX;
    socket.local.size = sizeof socket.local.storage.ss_family;
    return;
  }
  Address local = remote;
  local.set_port(0);
  bind_to(socket, local);
}

/// Waits, like a request that is not answered, while the way is cut or the listener's backlog full.
std::int64_t SimulatedNetwork::perform_connect(Socket& socket, const Operation& op) noexcept {
  Address wanted;
  if (op.address_size > sizeof wanted.storage) return -EINVAL;
  std::memcpy(&wanted.storage, op.address, op.address_size);
  wanted.size = op.address_size;
  std::string from = (socket.bound ? socket.local : wanted).host();
  if (any_cuts() && is_cut(from, wanted.host())) return -EAGAIN;
  Socket* listener = find_listener(wanted);
  if (!listener) return wanted.local() ? -ENOENT : -ECONNREFUSED;
  if (listener->accepted.size() > listener->backlog) return -EAGAIN;
  if (!socket.bound) give_name(socket, wanted);
  Socket& other = make_socket(socket.family);
  other.state = socket.state = Socket::State::connected;
  other.local = socket.remote = wanted;
  other.remote = socket.local;
  other.peer = &socket;
  socket.peer = &other;
  listener->accepted.push_back(other.number);
  notify(*listener, false);
  return 0;
}

std::int64_t SimulatedNetwork::perform_accept(Socket& socket, Operation& op) noexcept {
  if (socket.state != Socket::State::listening) return -EINVAL;
  if (socket.accepted.empty()) return -EAGAIN;
  int number = socket.accepted.front();
  socket.accepted.pop_front();
  if (op.address)
    SimulatedNetwork::getpeername(number, static_cast<sockaddr*>(op.address), op.address_size);
  retry_connections();
  return number;
}

/// What arrived before an error or the end comes first.
std::int64_t SimulatedNetwork::perform_recv(Socket& socket, void* to, std::size_t size,
                                            int flags) noexcept {
  if (socket.state != Socket::State::connected) return -ENOTCONN;
  if (socket.incoming.empty()) {
    if (socket.error) return -std::exchange(socket.error, 0);
    return socket.end_received || socket.read_shut ? 0 : -EAGAIN;
  }
  std::size_t count = slice(std::min(size, socket.incoming.size()));
  if (count == 0) return 0;
  std::memcpy(to, socket.incoming.data(), count);
  if (flags & MSG_PEEK) return static_cast<std::int64_t>(count);
  bool was_full = room(socket) == 0;
  socket.incoming.erase(0, count);
  if (was_full && socket.peer) notify(*socket.peer, true);
  return static_cast<std::int64_t>(count);
}

std::int64_t SimulatedNetwork::perform_send(Socket& socket, const void* from,
                                            std::size_t size) noexcept {
  if (socket.state != Socket::State::connected) return -ENOTCONN;
  if (socket.error) return -std::exchange(socket.error, 0);
  if (socket.write_shut) return -EPIPE;
  if (!socket.peer) {
    // It is gone: these bytes are lost, and its answer ends our sending.
    socket.write_shut = true;
    return static_cast<std::int64_t>(size);
  }
  std::size_t count = slice(std::min(size, room(*socket.peer)));
  if (count == 0 && size > 0) return -EAGAIN;
  if (breaks()) {
    break_connection(socket);
    return -std::exchange(socket.error, 0);
  }
  send_piece(*socket.peer, Piece::Kind::bytes,
             std::string_view(static_cast<const char*>(from), count));
  return static_cast<std::int64_t>(count);
}

std::int64_t SimulatedNetwork::perform_sendmsg(Socket& socket, const Operation& op) noexcept {
  const auto& message = *static_cast<const msghdr*>(op.buffer);
  std::int64_t total = 0;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
    const iovec& part = message.msg_iov[i];
    std::int64_t sent = perform_send(socket, part.iov_base, part.iov_len);
    if (sent < 0) return total > 0 ? total : sent;
    total += sent;
    if (static_cast<std::size_t>(sent) < part.iov_len) break;
  }
  return total;
}

// --- Events -----------------------------------------------------------------------------------

/// Everything that one socket does to another, or to who waits on it, passes through here.
void SimulatedNetwork::notify(Socket& socket, bool writing) noexcept {
  bool& notified = writing ? socket.write_notified : socket.read_notified;
  if (std::exchange(notified, true)) return;
  events_.push_back({socket.number, writing});
}

bool SimulatedNetwork::deliver() {
  bool arrived = deliver_pieces();
  arrived |= deliver_datagrams();
  if (events_.empty()) return arrived;
  std::vector<Event> due = std::exchange(events_, {});
  if (seed_ != 0)
    for (std::size_t i = due.size(); i > 1; --i) std::swap(due[i - 1], due[random().below(i)]);
  for (const Event& event : due)
    if (Socket* socket = find(event.number)) serve(*socket, event.writing);
  return true;
}

void SimulatedNetwork::serve(Socket& socket, bool writing) noexcept {
  (writing ? socket.write_notified : socket.read_notified) = false;
  auto& waiting = writing ? socket.writers : socket.readers;
  while (!waiting.empty()) {
    Operation& op = waiting.front();
    std::int64_t result = perform(socket, op);
    if (result == -EAGAIN) return;
    op.unlink();
    finish(op, result);
  }
}

void SimulatedNetwork::cancel_all(Socket& socket) noexcept {
  while (!socket.readers.empty()) finish(socket.readers.pop_front(), -ECANCELED);
  while (!socket.writers.empty()) finish(socket.writers.pop_front(), -ECANCELED);
}

}  // namespace asyncio::detail
