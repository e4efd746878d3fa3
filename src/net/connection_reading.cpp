// SPDX-License-Identifier: BSL-1.0
// How a connection reads.
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/net/connection.hpp"
#include "asyncio/exceptions.hpp"
#include "tls_layer.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr std::size_t kMuch = 2048;

/// Gives back the pin of an operation that has ended, also if a server's handler is interrupted.
class Pinned {
 public:
  explicit Pinned(Connection& connection) noexcept : connection_(connection) {}
  ~Pinned() { connection_.unpin(); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

 private:
  Connection& connection_;
};

}  // namespace

bool Connection::fill(ReadWait& reader) {
  if (closing_ || reading_paused_ || reading_.pending || (tls_ && tls_->handshaking()))
    return false;
  if (++immediate_reads_ > kImmediate) {
    reading_.pending = true;
    pin();
    loop().call_ready(reading_);
    return false;
  }
  std::int64_t got = tls_ ? tls_->decrypt(reader) : -EAGAIN;
  while (got == -EAGAIN) {
    if (closing_) return true;  // TLS had to answer, and that has failed
    bool last = draining_ && at_rest();
    if (!last && wait_for(reading_)) return false;
    got = !last && reading_.result < 0 ? reading_.result : receive(reader);
    if (last && got == -EAGAIN && at_rest()) got = 0;
  }
  if (got > 0) unanswered_ = true;
  if (got < 0) {
    read_failed(static_cast<int>(-got));
  } else if (got == 0 && cut_off_ && !tls_) {
    // The system has told the write of it; that is not the end of what the peer wanted to send.
    failed(write_error_);
  } else if (got == 0) {
    eof_ = true;
    if (medium_ == Medium::read_pipe) close();
  }
  return true;
}

void Connection::pause_reading() {
  check_thread();
  advance();  // what arrived before and has its turn to come
  reading_paused_ = true;
}

void Connection::resume_reading() {
  check_thread();
  if (std::exchange(reading_paused_, false)) advance();
}

/// Starts to wait until the descriptor is ready; false if it may be ready now.
bool Connection::wait_for(Wake& wake) noexcept {
  if (backend_.start(wake)) return false;
  wake.pending = true;
  pin();
  return true;
}

/// Reads what there is into the reader's own room or the buffer.
std::int64_t Connection::receive(ReadWait& reader) {
  if (tls_) return tls_->receive(reader);
  std::span<char> room = buffer_.empty() ? reader.target() : std::span<char>();
  bool direct = !room.empty();
  if (!direct) {
    // As CPython, up to twice the limit ahead of what was asked for.
    std::size_t ahead = 2 * limit() - std::min(2 * limit(), buffer_.size());
    std::size_t wanted = std::max(reader.missing(), ahead);
    room = {backend_.scratch(), std::clamp<std::size_t>(wanted, 1, Backend::kScratchSize)};
  }
  Operation recv(nullptr, medium_ == Medium::socket ? Opcode::recv : Opcode::read, fd_);
  recv.stream = true;
  recv.buffer = room.data();
  recv.size = room.size();
  std::int64_t got = backend_.attempt(recv);
  if (got <= 0) return got;
  auto count = static_cast<std::size_t>(got);
  much_arrives_ = !direct && count >= kMuch;
  if (direct)
    reader.received(count);
  else
    buffer_.append({room.data(), count});
  return got;
}

void Connection::on_readable(Ready& node) {
  auto& wake = static_cast<Wake&>(static_cast<Operation&>(node));
  Connection& self = wake.connection;
  wake.pending = false;
  Pinned keep(self);
  self.immediate_reads_ = 0;
  if (self.teardown_scheduled_) {
    self.teardown();
  } else {
    if (self.tls_ && self.tls_->takes_input()) {
      self.tls_->on_input();
    } else {
      if (wake.result < 0) self.read_failed(static_cast<int>(-wake.result));
      self.on_arrival();
    }
  }
}

/// CPython: _UnixWritePipeTransport._read_ready.
void Connection::on_reader_gone(Ready& node) {
  auto& wake = static_cast<Wake&>(static_cast<Operation&>(node));
  Connection& self = wake.connection;
  wake.pending = false;
  if (self.teardown_scheduled_)
    self.teardown();
  else if (wake.result >= 0)
    self.force_close(self.queue_.empty() ? nullptr : make_os_error(EPIPE, self.described("write")));
  self.unpin();
}

/// Of many connections that are readable at once, each would keep what came for it until its task
/// has its turn. What is large comes in that turn, so that all use the same memory, which is in the
/// processor's caches; what is small comes at once, since one call of the system after another of
/// the same kind is faster.
void Connection::on_arrival() noexcept {
  if (much_arrives_ && waiter())
    waiter()->serve_in_step();
  else
    advance();
}

void Connection::fill_failed(std::exception_ptr error) noexcept { failed(std::move(error)); }

}  // namespace asyncio::detail
