// SPDX-License-Identifier: BSL-1.0
// How a connection writes. CPython: _SelectorSocketTransport.
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/net/connection.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "tls_layer.hpp"
#include "write_limits.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <new>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace asyncio::detail {

namespace {

/// As CPython's constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES.
constexpr std::uint8_t kLoggedIgnoredWrite = 5;

/// How many chunks are given to one sendmsg.
constexpr std::size_t kVectors = 64;

}  // namespace

void Connection::write(std::string_view data) {
  if (data.empty() || write_refused()) return;
  if (tls_) return tls_->write(data);
  std::size_t sent = queue_.empty() ? send_now(data) : 0;
  if (sent == data.size() || write_error_) return;
  keep_rest(sent > 0, [&] { queue_.push(data.substr(sent)); });
}

/// Sends what the kernel takes and keeps the rest. After a failure nothing may follow: there is a
/// gap in what the peer got, even if nothing was sent, as the next record would be another one.
void Connection::put(std::string_view record) {
  if (write_error_) return;
  std::size_t sent = queue_.empty() ? send_now(record) : 0;
  if (sent == record.size() || write_error_) return;
  keep_rest(true, [&] { queue_.push(record.substr(sent)); });
}

/// Calls `push` for what the kernel did not take. If there is no memory for that, a write of which
/// nothing was sent or kept has not happened, and others may follow. Any other ends the writing.
template <class F>
void Connection::keep_rest(bool begun, F push) {
  std::size_t before = queue_.size();
  try {
    push();
  } catch (const std::bad_alloc&) {
    if (begun || queue_.size() != before) write_failed(std::current_exception());
    throw;
  }
  queue_grew();
}

void Connection::write(std::string&& data) {
  if (data.empty() || write_refused()) return;
  if (tls_) return tls_->write(data);
  std::size_t sent = queue_.empty() ? send_now(data) : 0;
  if (sent == data.size() || write_error_) return;
  keep_rest(sent > 0, [&] {
    if (sent > 0)
      queue_.push(std::string_view(data).substr(sent));
    else
      queue_.push(std::move(data));
  });
}

void Connection::write_all(std::span<const std::string_view> pieces) {
  std::size_t size = 0;
  for (std::string_view piece : pieces) size += piece.size();
  if (size == 0 || write_refused()) return;
  if (tls_) return tls_->write_all(pieces);
  std::size_t sent = queue_.empty() ? send_pieces(pieces) : 0;
  if (sent == size || write_error_) return;
  keep_rest(sent > 0, [&] {
    for (std::string_view piece : pieces) {
      std::size_t skipped = std::min(sent, piece.size());
      sent -= skipped;
      queue_.push(piece.substr(skipped));
    }
  });
}

bool Connection::write_refused() {
  check_thread();
  if (eof_requested_) throw RuntimeError("Cannot call write() after write_eof()");
  if (sending_file_) throw RuntimeError("unable to write; sendfile is in progress");
  unanswered_ = false;
  if (!closing_ && !write_error_) return false;
  if (ignored_writes_ < kLoggedIgnoredWrite && ++ignored_writes_ == kLoggedIgnoredWrite)
    log(LogLevel::warning, "socket.send() raised exception.");
  return true;
}

/// Gives the kernel what it takes. Returns how much that was.
std::size_t Connection::send_now(std::string_view data) {
  Operation send(nullptr, medium_ == Medium::socket ? Opcode::send : Opcode::write, fd_);
  send.stream = true;
  send.buffer = const_cast<char*>(data.data());
  send.size = data.size();
  std::int64_t taken = backend_.attempt(send);
  if (taken >= 0) return static_cast<std::size_t>(taken);
  if (taken != -EAGAIN) write_failed(static_cast<int>(-taken));
  return 0;
}

std::size_t Connection::send_pieces_to_pipe(std::span<const std::string_view> pieces) {
  std::size_t total = 0;
  for (std::string_view piece : pieces) {
    std::size_t sent = piece.empty() ? 0 : send_now(piece);
    total += sent;
    if (sent < piece.size()) break;
  }
  return total;
}

std::size_t Connection::send_pieces(std::span<const std::string_view> pieces) {
  if (medium_ != Medium::socket) return send_pieces_to_pipe(pieces);
  std::size_t total = 0;
  std::size_t at = 0;       // the piece to go on with,
  std::size_t skipped = 0;  // and how much of it has gone
  while (at < pieces.size()) {
    std::array<iovec, kVectors> vectors;
    std::size_t count = 0;
    for (std::size_t i = at; i < pieces.size() && count < kVectors; ++i) {
      std::string_view piece = pieces[i].substr(i == at ? skipped : 0);
      if (piece.empty()) continue;
      vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    if (count == 0) break;
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    Operation send(nullptr, Opcode::sendmsg, fd_);
    send.stream = true;
    send.buffer = &message;
    std::int64_t taken = backend_.attempt(send);
    if (taken == -EAGAIN) break;
    if (taken < 0) {
      write_failed(static_cast<int>(-taken));
      break;
    }
    total += static_cast<std::size_t>(taken);
    std::size_t left = static_cast<std::size_t>(taken);
    while (at < pieces.size() && left >= pieces[at].size() - skipped) {
      left -= pieces[at++].size() - skipped;
      skipped = 0;
    }
    skipped += left;
  }
  return total;
}

/// There is something in the queue that was not there before.
void Connection::queue_grew() {
  if (!writing_.pending) flush();
  if (queue_.size() > high_water_) pause();
}

/// Sends from the queue until that is empty or the kernel is full.
void Connection::flush() {
  while (!queue_.empty() && !write_error_) {
    if (wait_for(writing_)) return;
    if (writing_.result < 0) return write_failed(static_cast<int>(-writing_.result));
    std::array<std::string_view, kVectors> pieces;
    std::size_t count = 0;
    queue_.visit(kVectors, [&](std::string_view piece) { pieces[count++] = piece; });
    std::size_t sent = send_pieces(std::span(pieces.data(), count));
    if (!write_error_) queue_.drop(sent);
  }
}

void Connection::on_writable(Ready& node) {
  auto& wake = static_cast<Wake&>(static_cast<Operation&>(node));
  Connection& self = wake.connection;
  wake.pending = false;
  if (self.teardown_scheduled_) {
    self.teardown();
  } else {
    if (wake.result < 0)
      self.write_failed(static_cast<int>(-wake.result));
    else
      self.flush();
    self.queue_shrank();
    if (self.write_error_ && self.tls_ && self.tls_->handshaking()) self.tls_->on_input();
  }
  self.unpin();
}

void Connection::queue_shrank() {
  if (paused_ && queue_.size() <= low_water_) {
    paused_ = false;
    wake_all(drain_waiters_);
    if (user_) user_->writing_resumed();
  }
  if (queue_.empty()) sent_all();
}

void Connection::sent_all() {
  if (sending_file_) wake_all(drain_waiters_);
  if (closing_ && (!tls_ || tls_->over())) return schedule_teardown();
  if (!eof_requested_ || fd_ < 0) return;
  const int result = backend_.shutdown(fd_, SHUT_WR);
  // The end for which the peer waits does not come, and nobody else would say so.
  if (result < 0 && !write_error_) write_failed(make_os_error(-result, described("shutdown")));
}

void Connection::write_eof() {
  if (tls_) throw RuntimeError("Cannot call write_eof() on a TLS stream");
  if (closing() || eof_requested_) return;
  if (medium_ != Medium::socket) return close();
  eof_requested_ = true;
  if (queue_.empty()) sent_all();
}

void Connection::set_limits(std::optional<std::ptrdiff_t> high, std::optional<std::ptrdiff_t> low) {
  WriteLimits limits(high, low);
  high_water_ = limits.high;
  low_water_ = limits.low;
  if (queue_.size() > high_water_) pause();
}

void Connection::pause() noexcept {
  if (std::exchange(paused_, true)) return;
  if (user_) user_->writing_paused();
}

bool Connection::drain_must_yield() noexcept {
  if (++immediate_drains_ <= kImmediate) return false;
  immediate_drains_ = 0;
  return true;
}

}  // namespace asyncio::detail
