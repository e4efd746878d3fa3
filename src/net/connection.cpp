// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/net/connection.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "sockaddr.hpp"
#include "tls_layer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/uio.h>
#include <utility>

namespace asyncio::detail {

namespace {

/// After so many reads or drains in a row that did not wait, one lets the other tasks run, so that
/// a fast peer does not keep the loop to itself (fault 1).
constexpr std::uint8_t kImmediate = 16;

/// As CPython's constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES.
constexpr std::uint8_t kLoggedIgnoredWrite = 5;

/// How many chunks are given to one sendmsg.
constexpr std::size_t kVectors = 64;

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

Connection::Connection(Backend& backend, int fd, std::size_t limit, const SocketAddress& peer)
    : ReaderState(backend.loop(), limit),
      backend_(backend),
      fd_(fd),
      reading_(&on_readable, Opcode::poll_readable, fd, *this),
      writing_(&on_writable, Opcode::poll_writable, fd, *this),
      teardown_(&on_teardown, *this),
      peer_(peer) {
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
  tls_->begin();
}

void Connection::accept_tls(const TlsOptions& options) {
  tls_ = std::make_unique<TlsLayer>(*this, options);
  tls_->begin_for_owner();
}

// --- Reading ----------------------------------------------------------------------------------

bool Connection::fill(ReadWait& reader) {
  if (closing_ || reading_.pending || (tls_ && tls_->handshaking())) return false;
  if (++immediate_reads_ > kImmediate) {
    reading_.pending = true;
    pin();
    loop().call_ready(reading_);
    return false;
  }
  std::int64_t got = tls_ ? tls_->decrypt(reader) : -EAGAIN;
  while (got == -EAGAIN) {
    bool last = draining_ && at_rest();
    if (!last && wait_for(reading_)) return false;
    got = !last && reading_.result < 0 ? reading_.result : receive(reader);
    if (last && got == -EAGAIN && at_rest()) got = 0;
  }
  if (got > 0) unanswered_ = true;
  if (got < 0) read_failed(static_cast<int>(-got));
  if (got == 0) {
    eof_ = true;
    if (medium_ == Medium::read_pipe) close();
  }
  return true;
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
      self.serve_reader();
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

void Connection::serve_reader() {
  try {
    advance();
  } catch (const std::exception&) {  // No memory for what arrived: the reader is told.
    failure_ = std::current_exception();
    force_close(failure_);
  }
}

// --- Writing ----------------------------------------------------------------------------------

void Connection::write(std::string_view data) {
  if (data.empty() || write_refused()) return;
  if (tls_)
    tls_->write(data);
  else
    put(data);
}

/// Sends what the kernel takes and keeps the rest. After a failure nothing may follow: there is a
/// gap in what the peer got.
void Connection::put(std::string_view bytes) {
  if (write_error_) return;
  std::size_t sent = queue_.empty() ? send_now(bytes) : 0;
  if (sent == bytes.size() || write_error_) return;
  queue_.push(bytes.substr(sent));
  queue_grew();
}

void Connection::write(std::string&& data) {
  if (data.empty() || write_refused()) return;
  if (tls_) return tls_->write(data);
  std::size_t sent = queue_.empty() ? send_now(data) : 0;
  if (sent == data.size() || write_error_) return;
  if (sent > 0)
    queue_.push(std::string_view(data).substr(sent));
  else
    queue_.push(std::move(data));
  queue_grew();
}

void Connection::write_all(std::span<const std::string_view> pieces) {
  std::size_t size = 0;
  for (std::string_view piece : pieces) size += piece.size();
  if (size == 0 || write_refused()) return;
  if (tls_) return tls_->write_all(pieces);
  std::size_t sent = queue_.empty() ? send_pieces(pieces) : 0;
  if (sent == size || write_error_) return;
  for (std::string_view piece : pieces) {
    std::size_t skipped = std::min(sent, piece.size());
    sent -= skipped;
    queue_.push(piece.substr(skipped));
  }
  queue_grew();
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
  if (closing_ && (!tls_ || tls_->over()))
    schedule_teardown();
  else if (eof_requested_ && fd_ >= 0)
    backend_.shutdown(fd_, SHUT_WR);
}

void Connection::write_eof() {
  if (tls_) throw RuntimeError("Cannot call write_eof() on a TLS stream");
  if (closing() || eof_requested_) return;
  if (medium_ != Medium::socket) return close();
  eof_requested_ = true;
  if (queue_.empty()) sent_all();
}

void Connection::set_limits(std::size_t high, std::size_t low) {
  if (high < low)
    throw ValueError("high (" + std::to_string(high) + ") must be >= low (" + std::to_string(low) +
                     ") must be >= 0");
  high_water_ = high;
  low_water_ = low;
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

// --- Errors and the end -----------------------------------------------------------------------

/// Nothing more can be received or sent.
void Connection::read_failed(int error) {
  if (error == EPROTO && tls_ && tls_->engine().failed()) return failed(tls_->engine().error());
  failed(make_os_error(error, described("recv")));
}

void Connection::failed(std::exception_ptr error) {
  failure_ = std::move(error);
  force_close(failure_);
}

/// Nothing more can be sent; what has arrived can still be read.
void Connection::write_failed(int error) { write_failed(make_os_error(error, described("send"))); }

void Connection::write_failed(std::exception_ptr error) {
  write_error_ = std::move(error);
  queue_.clear();
  paused_ = false;
  wake_all(drain_waiters_);
  if (eof_ || closing_ || user_) force_close(write_error_);
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
  backend_.close_fd(std::exchange(fd_, -1));
  ended();
}

/// CPython: StreamReaderProtocol.connection_lost.
void Connection::ended() noexcept {
  Resource::unlink();
  if (tls_) tls_->ended();
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
    if (loop().debug()) log(LogLevel::warning, described("unclosed stream to"));
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
