// SPDX-License-Identifier: BSL-1.0
// What is on its way between the sockets of a simulated network.
#include "asyncio/detail/core/loop.hpp"
#include "simulated_network.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace asyncio::detail {

std::size_t SimulatedNetwork::room(const Socket& socket) noexcept {
  std::size_t used = socket.incoming.size() + socket.coming_bytes;
  return kPipeSize - std::min(kPipeSize, used);
}

bool SimulatedNetwork::cut_off(const Socket& socket) const {
  return any_cuts() && is_cut(socket.local.host(), socket.remote.host());
}

/// A connection takes a way there and one back.
void SimulatedNetwork::send_piece(Socket& to, Piece::Kind kind, std::string_view bytes) noexcept {
  bool cut = cut_off(to);
  if ((instant() || to.family == AF_UNIX) && !cut && to.coming.empty())
    return arrive(to, kind, bytes);
  TimePoint arrives = TimePoint::max();
  if (!cut) {
    arrives = now() + delay();
    if (kind == Piece::Kind::connection) arrives += delay();
    if (!to.coming.empty()) arrives = std::max(arrives, to.coming.back().arrives);
  }
  to.coming.push_back({arrives, kind, std::string(bytes)});
  to.coming_bytes += bytes.size();
  if (to.coming.size() == 1) arrivals_.emplace(arrives, to.number);
}

void SimulatedNetwork::arrive(Socket& to, Piece::Kind kind, std::string_view bytes) noexcept {
  switch (kind) {
    case Piece::Kind::bytes:
      to.incoming.append(bytes);
      return notify(to, false);
    case Piece::Kind::end:
      to.end_received = true;
      break;
    case Piece::Kind::reset:
      to.error = ECONNRESET;
      to.end_received = to.write_shut = true;
      break;
    case Piece::Kind::connection:
      return notify(to, true);
  }
  notify(to, false);
  notify(to, true);
}

TimePoint SimulatedNetwork::next_arrival() const noexcept {
  TimePoint piece = arrivals_.empty() ? TimePoint::max() : arrivals_.begin()->first;
  return flights_.empty() ? piece : std::min(piece, flights_.begin()->first);
}

bool SimulatedNetwork::deliver_pieces() {
  bool some = false;
  while (!arrivals_.empty() && arrivals_.begin()->first <= now()) {
    Socket& socket = *find(arrivals_.begin()->second);
    arrivals_.erase(arrivals_.begin());
    Piece piece = std::move(socket.coming.front());
    socket.coming.pop_front();
    socket.coming_bytes -= piece.bytes.size();
    if (!socket.coming.empty()) arrivals_.emplace(socket.coming.front().arrives, socket.number);
    arrive(socket, piece.kind, piece.bytes);
    some = true;
  }
  return some;
}

void SimulatedNetwork::lose_pieces(Socket& socket) noexcept {
  if (socket.coming.empty()) return;
  arrivals_.erase({socket.coming.front().arrives, socket.number});
  socket.coming.clear();
  socket.coming_bytes = 0;
}

/// Both ends find out at once; what is on its way is lost.
void SimulatedNetwork::break_connection(Socket& socket) noexcept {
  Socket* peer = std::exchange(socket.peer, nullptr);
  for (Socket* end : {&socket, peer}) {
    if (!end) continue;
    end->peer = nullptr;
    lose_pieces(*end);
    arrive(*end, Piece::Kind::reset, {});
  }
}

std::size_t SimulatedNetwork::reset_connections(const std::string& host) noexcept {
  std::size_t count = 0;
  for (auto& [number, socket] : sockets_) {
    if (!socket->peer) continue;
    if (socket->local.host() != host && socket->remote.host() != host) continue;
    break_connection(*socket);
    ++count;
  }
  return count;
}

void SimulatedNetwork::retry_connections() noexcept {
  for (auto& [number, socket] : sockets_)
    if (socket->state == Socket::State::fresh && !socket->writers.empty() && socket->coming.empty())
      notify(*socket, true);
}

void SimulatedNetwork::heal() noexcept {
  mend();
  retry_connections();
  for (auto& [number, socket] : sockets_) {
    if (socket->coming.empty() || socket->coming.back().arrives != TimePoint::max()) continue;
    arrivals_.erase({socket->coming.front().arrives, number});
    for (Piece& piece : socket->coming)
      if (piece.arrives == TimePoint::max()) piece.arrives = now() + most();
    arrivals_.emplace(socket->coming.front().arrives, number);
  }
}

}  // namespace asyncio::detail
