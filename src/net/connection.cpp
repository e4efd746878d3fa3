// SPDX-License-Identifier: BSL-1.0
// How a connection begins and ends, and what it says of itself. Reading, writing and the end with a
// server have files of their own.
#include "asyncio/detail/net/connection.hpp"

#include "asyncio/detail/core/guarded_log.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "sockaddr.hpp"
#include "tls_layer.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace asyncio::detail {

Connection::Connection(Backend& backend, int fd, std::size_t limit, const SocketAddress& peer)
    : ReaderState(backend.loop(), limit),
      backend_(backend),
      fd_(fd),
      reading_(&on_readable, Opcode::poll_readable, fd, *this),
      writing_(&on_writable, Opcode::poll_writable, fd, *this),
      teardown_(&on_teardown, *this),
      peer_(peer) {
  backend_.own(fd);
  backend_.add_resource(*this);
}

Connection::Connection(Backend& backend, int fd, std::size_t limit, Medium medium)
    : Connection(backend, fd, limit, SocketAddress()) {
  medium_ = medium;
  if (medium != Medium::write_pipe) return;
  // A writing end is readable when nobody reads what is written.
  reading_.run = &on_reader_gone;
  reading_.stream = false;
  if (wait_for(reading_)) return;
  reading_.pending = true;
  pin();
  loop().call_ready(reading_);
}

Connection::~Connection() = default;

void Connection::check_plain() const {
  check_thread();
  if (tls_) throw RuntimeError("the connection speaks TLS already");
}

void Connection::start_tls(const TlsOptions& options) {
  check_plain();
  if (closing()) throw ConnectionResetError(ECONNRESET, "TLS with " + peer_.str());
  tls_ = std::make_unique<TlsLayer>(*this, options);
  try {
    tls_->begin();
  } catch (...) {  // Rethrown: half begun, it would neither speak TLS nor end.
    abort();
    throw;
  }
}

void Connection::accept_tls(const TlsOptions& options) {
  tls_ = std::make_unique<TlsLayer>(*this, options);
  try {
    tls_->begin_for_owner();
  } catch (...) {  // Rethrown.
    abort();
    throw;
  }
}

/// Nothing more can be received or sent.
void Connection::read_failed(int error) {
  if (error == EPROTO && tls_ && tls_->engine().failed()) return failed(tls_->engine().error());
  note(error);
  failed(make_os_error(error, described("recv")));
}

/// A number that names nothing may be somebody else's in a moment: from now on nothing is done to
/// it, whatever other errors follow.
void Connection::note(int error) noexcept {
  if (error == EBADF) descriptor_lost_ = true;
}

void Connection::failed(std::exception_ptr error) {
  failure_ = std::move(error);
  force_close(failure_);
}

/// Nothing more can be sent; what has arrived can still be read.
void Connection::write_failed(int error) {
  cut_off_ = error != EPIPE;
  note(error);
  write_failed(make_os_error(error, described("send")));
  // Nobody would tell a read that waits.
  if (error == EBADF) failed(write_error_);
}

void Connection::write_failed(std::exception_ptr error) {
  write_error_ = std::move(error);
  queue_.clear();
  paused_ = false;
  wake_all(drain_waiters_);
  if (eof_ || closing_ || user_) return force_close(write_error_);
  // The peer, who is told so, ends as well, and with it a read that waits.
  if (medium_ == Medium::socket && !descriptor_lost_) (void)backend_.shutdown(fd_, SHUT_WR);
}

std::string Connection::described(const char* verb) const {
  std::string object = medium_ == Medium::socket ? peer_.str() : "pipe " + std::to_string(fd_);
  return verb + (" " + object);
}

void Connection::throw_if_failed() const {
  if (exception()) std::rethrow_exception(exception());
  if (failure()) std::rethrow_exception(failure());
  if (write_error_) std::rethrow_exception(write_error_);
}

void Connection::throw_if_unwritable() const {
  throw_if_failed();
  if (closed()) throw ConnectionResetError(ECONNRESET, "Connection lost");
}

void Connection::throw_if_lost() const {
  if (lost_error_) std::rethrow_exception(lost_error_);
}

void Connection::close_if_failed() {
  if (write_error_) force_close(write_error_);
}

void Connection::close() {
  check_thread();
  advance();  // what arrived before and has its turn to come
  if (closing_) return;
  if (write_error_) return force_close(write_error_);
  if (tls_ && tls_->handshaking()) return abort();
  closing_ = true;
  if (tls_) tls_->begin_close();
  if (queue_.empty()) sent_all();
}

void Connection::force_close(std::exception_ptr error) {
  if (teardown_scheduled_ || closed()) return;
  closing_ = true;
  queue_.clear();
  lost_error_ = std::move(error);
  schedule_teardown();
}

/// CPython: call_soon(self._call_connection_lost).
void Connection::schedule_teardown() {
  if (teardown_scheduled_ || closed()) return;
  teardown_scheduled_ = true;
  pin();
  loop().call_ready(teardown_);
}

void Connection::on_teardown(Ready& node) {
  Connection& self = static_cast<Node&>(node).connection;
  self.teardown();
  self.unpin();
}

/// The descriptor is closed when the backend has let go of the last operation.
void Connection::teardown() {
  if (reading_.pending) backend_.cancel(reading_);
  if (writing_.pending) backend_.cancel(writing_);
  if (reading_.pending || writing_.pending || closed()) return;
  int fd = std::exchange(fd_, -1);
  backend_.disown(fd);
  if (descriptor_lost_)
    backend_.release(fd);  // The number may be another's by now.
  else
    backend_.close_fd(fd);
  ended();
}

/// CPython: StreamReaderProtocol.connection_lost.
void Connection::ended() noexcept {
  Resource::unlink();
  if (tls_) tls_->ended();
  if (cut_off_ && !tls_ && !failure_) failure_ = write_error_;
  if (!failure_) eof_ = true;
  wake_if_satisfied();
  paused_ = false;
  wake_all(drain_waiters_);
  wake_all(close_waiters_);
  if (user_) std::exchange(user_, nullptr)->connection_lost(lost_error_);
  if (owner_) std::exchange(owner_, nullptr)->connection_ended(*this);
}

void Connection::wake_all(List<Waiter>& waiters) noexcept {
  for (Waiter& waiter : waiters) waiter.fire();
}

void Connection::unreferenced() noexcept {
  if (!closing_ && !closed()) {
    if (loop().debug())
      log_guarded(LogLevel::warning, [&] { return described("unclosed stream to"); });
    pin();
    close();
    unpin();
  } else if (pins_ == 0) {
    delete this;
  }
}

/// The loop's queues are empty: no operation or node of this will run any more.
void Connection::loop_closing() noexcept {
  closing_ = teardown_scheduled_ = true;
  backend_.forget(reading_);
  backend_.forget(writing_);
  teardown_.unlink();
  reading_.pending = writing_.pending = false;
  if (fd_ >= 0) backend_.close_fd(std::exchange(fd_, -1));
  queue_.clear();
  pins_ = 1;
  if (user_) std::exchange(user_, nullptr)->abandoned();
  ended();
  unpin();
}

std::optional<SocketAddress> Connection::sockname() const {
  RawAddress raw;
  if (closed() || backend_.getsockname(fd_, raw.get(), raw.size) < 0) return std::nullopt;
  return SocketAddressAccess::from_raw(raw);
}

}  // namespace asyncio::detail
