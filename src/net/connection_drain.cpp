// SPDX-License-Identifier: BSL-1.0
// How a connection ends with its server: see Server::shutdown.
#include "asyncio/detail/net/connection.hpp"
#include "tls_layer.hpp"

namespace asyncio::detail {

void Connection::drain() {
  draining_ = true;
  if (waiter() && at_rest() && !has_arrived()) feed_eof();
}

/// Whether what the peer has sent is answered, as far as one can tell from outside.
bool Connection::at_rest() const noexcept {
  if (unanswered_ || !buffer_.empty()) return false;
  return !tls_ || (!tls_->handshaking() && !tls_->engine().keeps_input());
}

/// Asks the system, which may not have told yet.
bool Connection::has_arrived() const noexcept {
  Operation poll(nullptr, Opcode::poll_readable, fd_);
  return backend_.attempt(poll) == 1;
}

}  // namespace asyncio::detail
