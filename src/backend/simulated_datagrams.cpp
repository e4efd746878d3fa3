// SPDX-License-Identifier: BSL-1.0
// UDP between the sockets of a simulated network.
#include "asyncio/detail/core/loop.hpp"
#include "simulated_network.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <utility>

namespace asyncio::detail {

namespace {

/// What fits in an IPv4 packet.
constexpr std::size_t kLargestDatagram = 65507;

/// Linux's default for what a socket has received and nobody has read.
constexpr std::size_t kInboxSize = 208 * 1024;

}  // namespace

std::int64_t SimulatedNetwork::perform_datagram(Socket& socket, Operation& op) noexcept {
  switch (op.opcode) {
    case Opcode::connect:
      return connect_datagrams(socket, op);
    case Opcode::recv:
    case Opcode::recvfrom:
    case Opcode::read:
      return receive_datagram(socket, op);
    case Opcode::send:
    case Opcode::sendto:
    case Opcode::write:
      return send_datagram(socket, op);
    case Opcode::poll_readable:
      return socket.error || !socket.inbox.empty() ? 1 : -EAGAIN;
    case Opcode::poll_writable:
      return 1;
    case Opcode::close:
      return close_fd(op.fd);
    default:
      return -EOPNOTSUPP;
  }
}

/// Who sends from all of its interfaces is, as a client without a name, where it sends to.
SimulatedNetwork::Address SimulatedNetwork::sender_of(const Socket& socket, const Address& to) {
  if (!socket.local.wildcard()) return socket.local;
  Address from = to;
  from.set_port(socket.local.port());
  return from;
}

std::int64_t SimulatedNetwork::connect_datagrams(Socket& socket, const Operation& op) noexcept {
  Address wanted;
  if (!copy_address(wanted, op, socket)) return -EINVAL;
  if (!socket.bound) give_name(socket, wanted);
  socket.local = sender_of(socket, wanted);
  socket.remote = wanted;
  socket.state = Socket::State::connected;
  return 0;
}

bool SimulatedNetwork::copy_address(Address& to, const Operation& op, const Socket& socket) {
  if (!op.address || op.address_size > sizeof to.storage) return false;
  std::memcpy(&to.storage, op.address, op.address_size);
  to.size = op.address_size;
  return to.storage.ss_family == socket.family;
}

std::int64_t SimulatedNetwork::send_datagram(Socket& socket, const Operation& op) noexcept {
  if (socket.error) return -std::exchange(socket.error, 0);
  Address to = socket.remote;
  if (op.opcode == Opcode::sendto) {
    if (!copy_address(to, op, socket)) return -EINVAL;
  } else if (socket.state != Socket::State::connected) {
    return -EDESTADDRREQ;
  }
  if (op.size > kLargestDatagram) return -EMSGSIZE;
  if (!socket.bound) give_name(socket, to);
  Datagram datagram{sender_of(socket, to), std::string(static_cast<char*>(op.buffer), op.size)};
  auto sent = static_cast<std::int64_t>(op.size);
  if (loses() || is_cut(datagram.from.host(), to.host())) return sent;
  if (instant())
    land(to, std::move(datagram));
  else
    flights_.emplace(now() + delay(), std::pair(to, std::move(datagram)));
  return sent;
}

std::int64_t SimulatedNetwork::receive_datagram(Socket& socket, Operation& op) noexcept {
  if (socket.error) return -std::exchange(socket.error, 0);
  if (socket.inbox.empty()) return -EAGAIN;
  const Datagram& first = socket.inbox.front();
  std::size_t count = std::min(op.size, first.bytes.size());
  std::memcpy(op.buffer, first.bytes.data(), count);
  if (op.opcode == Opcode::recvfrom && op.address) {
    std::memcpy(op.address, &first.from.storage, std::min(op.address_size, first.from.size));
    op.address_size = first.from.size;
  }
  if (op.flags & MSG_TRUNC) count = first.bytes.size();
  if (!(op.flags & MSG_PEEK)) {
    socket.inbox_bytes -= first.bytes.size();
    socket.inbox.pop_front();
  }
  return static_cast<std::int64_t>(count);
}

/// Who is bound to the address, and does not talk to somebody else.
SimulatedNetwork::Socket* SimulatedNetwork::find_receiver(const Address& to,
                                                          const Address& from) noexcept {
  for (auto& [number, socket] : sockets_) {
    if (!socket->datagrams || !socket->bound || socket->family != to.storage.ss_family) continue;
    bool any = socket->local.wildcard() && socket->local.port() == to.port();
    if (!any && !(socket->local == to)) continue;
    if (socket->state != Socket::State::connected || socket->remote == from) return socket.get();
  }
  return nullptr;
}

/// As the system: nobody there is an error of a sender who is connected, and a full inbox of none.
void SimulatedNetwork::land(const Address& to, Datagram datagram) noexcept {
  if (Socket* receiver = find_receiver(to, datagram.from)) {
    if (receiver->inbox_bytes + datagram.bytes.size() > kInboxSize) return;
    receiver->inbox_bytes += datagram.bytes.size();
    receiver->inbox.push_back(std::move(datagram));
    return notify(*receiver, false);
  }
  Socket* sender = find_receiver(datagram.from, to);
  if (!sender || sender->state != Socket::State::connected) return;
  sender->error = ECONNREFUSED;
  notify(*sender, false);
}

bool SimulatedNetwork::deliver_datagrams() {
  bool some = false;
  while (!flights_.empty() && flights_.begin()->first <= now()) {
    auto landing = flights_.extract(flights_.begin());
    land(landing.mapped().first, std::move(landing.mapped().second));
    some = true;
  }
  return some;
}

}  // namespace asyncio::detail
