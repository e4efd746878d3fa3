// SPDX-License-Identifier: BSL-1.0
// Order and messages follow asyncio/sslproto.py, SSLProtocol.
#include "tls_layer.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

namespace asyncio::detail {

namespace {

/// Of the backend's scratch room the end takes plaintext, the rest what comes from the socket.
constexpr std::size_t kPlainRoom = TlsEngine::kRecord;
constexpr std::size_t kWireRoom = Backend::kScratchSize - kPlainRoom;

/// A peer that makes us answer (key updates, say) and does not read the answers.
constexpr std::size_t kMostAnswers = 64 * 1024;

/// After our close_notify a peer may still send what it had begun; not for ever.
constexpr std::size_t kMostDropped = 1024 * 1024;

/// As Python prints a float.
std::string seconds_text(Delay delay) {
  std::array<char, 32> text;
  double seconds = static_cast<double>(delay.nanoseconds()) / 1e9;
  std::snprintf(text.data(), text.size(), "%g", seconds);
  std::string number = text.data();
  return number.find_first_of(".e") == std::string::npos ? number + ".0" : number;
}

}  // namespace

TlsOptions::TlsOptions(TlsContext tls_context, OptionalDelay handshake, OptionalDelay shutdown)
    : context(std::move(tls_context)) {
  if (handshake) handshake_timeout = *handshake;
  if (shutdown) shutdown_timeout = *shutdown;
  for (auto [name, limit] : {std::pair("ssl_handshake_timeout", handshake_timeout),
                             std::pair("ssl_shutdown_timeout", shutdown_timeout)})
    if (!limit.positive())
      throw ValueError(std::string(name) + " should be a positive number, got " +
                       seconds_text(limit));
}

void TlsOptions::set_server_hostname(const std::optional<std::string>& name) {
  if (name) server_hostname = *name;
  if (server_hostname.empty() && context.state()->checks_hostname())
    throw ValueError("You must set server_hostname when using ssl without a host");
}

TlsLayer::TlsLayer(Connection& connection, const TlsOptions& options)
    : Timer(&on_timeout),
      connection_(connection),
      context_(options.context),
      handshake_timeout_(options.handshake_timeout),
      shutdown_timeout_(options.shutdown_timeout),
      engine_(options.context.state(), *this, options.server_hostname,
              std::to_string(connection.peername().port())) {
  if (!options.alpn_protocols.empty()) engine_.offer(options.alpn_protocols);
}

TlsLayer::~TlsLayer() { disarm(); }

void TlsLayer::throw_if_failed() const {
  if (handshake_error_) std::rethrow_exception(handshake_error_);
}

void TlsLayer::arm(Delay delay) {
  Loop& loop = connection_.loop();
  loop.arm(*this, deadline_after(loop.now_ns(), delay));
}

void TlsLayer::disarm() noexcept {
  if (armed()) connection_.loop().disarm(*this);
  Timer::unlink();  // from the ready queue
}

void TlsLayer::on_timeout(Ready& node) {
  static_cast<TlsLayer&>(static_cast<Timer&>(node)).timed_out();
}

void TlsLayer::timed_out() {
  if (handshaking())
    return handshake_ended(std::make_exception_ptr(ConnectionAbortedError(
        ECONNABORTED, "SSL handshake with " + peer_text() + " is taking longer than " +
                          seconds_text(handshake_timeout_) + " seconds: aborting the connection")));
  connection_.force_close(
      std::make_exception_ptr(TimeoutError("SSL shutdown with " + peer_text())));
}

// --- The handshake ----------------------------------------------------------------------------

void TlsLayer::begin() {
  arm(handshake_timeout_);
  ByteQueue& early = connection_.buffer();
  std::string bytes = early.take(early.size());
  engine_.feed(bytes);
  engine_.keep();
  shake_hands();
}

void TlsLayer::on_input() {
  try {
    if (handshaking())
      shake_hands();
    else
      drop_input();
  } catch (const std::exception&) {  // No memory for what arrived.
    if (handshaking())
      handshake_ended(std::current_exception());
    else
      connection_.force_close(std::current_exception());
  }
}

/// Takes bytes from the socket. Returns how many, or what stopped it.
std::int64_t TlsLayer::feed_some() {
  Backend& backend = connection_.backend_;
  Operation recv(nullptr, Opcode::recv, connection_.fd_);
  recv.stream = true;
  recv.buffer = backend.scratch();
  recv.size = kWireRoom;
  std::int64_t got = backend.attempt(recv);
  if (got == 0)
    engine_.feed_eof();
  else if (got > 0)
    engine_.feed({backend.scratch(), static_cast<std::size_t>(got)});
  return got;
}

void TlsLayer::shake_hands() {
  while (true) {
    TlsEngine::Progress progress = engine_.handshake();
    if (connection_.write_error_) return handshake_ended(connection_.write_error_);
    if (progress == TlsEngine::Progress::done) return handshake_ended(nullptr);
    if (progress == TlsEngine::Progress::failed) return handshake_ended(engine_.error());
    if (connection_.reading_.pending || connection_.wait_for(connection_.reading_)) return;
    std::int64_t got = connection_.reading_.result;
    if (got >= 0) got = feed_some();
    // The SNI callback is the user's code: it may have the backend's room used.
    engine_.keep();
    if (got < 0 && got != -EAGAIN) {
      connection_.note(static_cast<int>(-got));
      return handshake_ended(
          make_os_error(static_cast<int>(-got), "TLS handshake with " + peer_text()));
    }
  }
}

void TlsLayer::handshake_ended(std::exception_ptr error) {
  Ref<Connection> keep = Ref<Connection>::share(&connection_);
  disarm();
  bool owner_waits = static_cast<bool>(std::exchange(held_, {}));
  state_ = error ? State::over : State::open;
  handshake_error_ = error;
  for (Waiter& waiter : handshake_waiters_) waiter.fire();
  if (error) {
    connection_.failed(error);
  } else {
    std::string early = backlog_.take(backlog_.size());
    write(early);
    connection_.queue_shrank();
  }
  if (owner_waits && connection_.owner_) connection_.owner_->handshake_ended(connection_, error);
  if (!error) connection_.advance();
}

// --- Reading ----------------------------------------------------------------------------------

std::int64_t TlsLayer::receive(ReadWait& reader) {
  std::int64_t got = feed_some();
  if (got < 0) return got;
  got = decrypt(reader);
  engine_.keep();  // also what is not a whole record yet
  return got;
}

std::int64_t TlsLayer::decrypt(ReadWait& reader) {
  if (!engine_.has_input()) return -EAGAIN;
  // In part of a record's room OpenSSL would have to keep the rest, at 17 KiB.
  std::span<char> room = connection_.buffer().empty() ? reader.target() : std::span<char>();
  std::int64_t got =
      room.size() >= TlsEngine::kRecord ? decrypt_into(room, reader) : decrypt_into_buffer();
  engine_.keep();
  if (connection_.queue_.empty()) answers_ = 0;
  if (answers_ <= kMostAnswers) return got;
  engine_.abandon(std::make_exception_ptr(
      SSLError("TLS recv from " + peer_text(), "", "", "the peer does not read our answers")));
  return -EPROTO;
}

std::int64_t TlsLayer::decrypt_into(std::span<char> room, ReadWait& reader) {
  std::size_t filled = 0;
  std::int64_t got = 0;
  while (room.size() - filled >= TlsEngine::kRecord && engine_.has_input()) {
    got = engine_.read(room.subspan(filled));
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled == 0) return got;
  reader.received(filled);
  return static_cast<std::int64_t>(filled);
}

/// As CPython, up to twice the limit ahead of what was asked for.
std::int64_t TlsLayer::decrypt_into_buffer() {
  ByteQueue& buffer = connection_.buffer();
  char* room = connection_.backend_.scratch() + kWireRoom;
  std::size_t before = buffer.size();
  std::int64_t got = 0;
  do {
    got = engine_.read({room, kPlainRoom});
    if (got <= 0) break;
    buffer.append({room, static_cast<std::size_t>(got)});
  } while (buffer.size() < before + 2 * connection_.limit() && engine_.has_input());
  return buffer.size() > before ? static_cast<std::int64_t>(buffer.size() - before) : got;
}

// --- Writing ----------------------------------------------------------------------------------

void TlsLayer::write(std::string_view data) {
  if (handshaking()) {
    backlog_.append(data);
    if (backlog_.size() > connection_.high_water()) connection_.paused_ = true;
    return;
  }
  staging_ = true;
  try {
    bool written = engine_.write(data);
    staging_ = false;
    send_staged();
    if (!written) connection_.write_failed(engine_.error());
  } catch (const std::bad_alloc&) {  // Records are missing: no other one may follow.
    staging_ = false;
    staged_ = 0;
    connection_.write_failed(std::current_exception());
    throw;
  }
}

/// A record for each piece would cost more than the copy.
void TlsLayer::write_all(std::span<const std::string_view> pieces) {
  std::string joined;
  for (std::string_view piece : pieces) joined += piece;
  write(joined);
}

/// Records of one write go to the socket together.
void TlsLayer::send_record(std::string_view bytes) {
  if (!staging_) {
    connection_.put(bytes);
    if (!connection_.queue_.empty()) answers_ += bytes.size();
    return;
  }
  if (bytes.size() > Backend::kScratchSize - staged_) send_staged();
  std::memcpy(connection_.backend_.scratch() + staged_, bytes.data(), bytes.size());
  staged_ += bytes.size();
}

void TlsLayer::send_staged() {
  std::size_t size = std::exchange(staged_, 0);
  if (size > 0) connection_.put({connection_.backend_.scratch(), size});
}

// --- The end ----------------------------------------------------------------------------------

void TlsLayer::begin_close() {
  state_ = State::closing;
  engine_.close();
  if (engine_.failed() || engine_.peer_closed()) {
    state_ = State::over;
    return;
  }
  arm(shutdown_timeout_);
  drop_input();
}

/// Reads on, so that the peer can finish sending and get to read our close_notify.
void TlsLayer::drop_input() {
  char* room = connection_.backend_.scratch() + kWireRoom;
  while (state_ == State::closing) {
    std::int64_t got = engine_.read({room, kPlainRoom});
    if (got == 0 || got == -EPROTO) return finish_close();
    if (got > 0) {
      // Not before the peer has got everything: it may have to be rid of this to read that.
      if (connection_.queue_.empty()) dropped_ += static_cast<std::size_t>(got);
      if (dropped_ > kMostDropped) return connection_.force_close(nullptr);
      continue;
    }
    if (connection_.reading_.pending || connection_.wait_for(connection_.reading_)) return;
    got = connection_.reading_.result;
    if (got >= 0) got = feed_some();
    engine_.keep();
    if (got < 0 && got != -EAGAIN) {
      connection_.note(static_cast<int>(-got));
      return finish_close();
    }
  }
}

void TlsLayer::finish_close() {
  state_ = State::over;
  disarm();
  if (connection_.queue_.empty()) connection_.schedule_teardown();
}

void TlsLayer::ended() noexcept {
  disarm();
  if (handshaking()) {
    try {
      handshake_error_ = std::make_exception_ptr(
          ConnectionAbortedError(ECONNABORTED, "TLS handshake with " + peer_text()));
    } catch (const std::bad_alloc&) {
      handshake_error_ = std::current_exception();
    }
    for (Waiter& waiter : handshake_waiters_) waiter.fire();
  }
  state_ = State::over;
  held_ = {};
}

void HandshakeWait::await_suspend(PromiseBase& promise) {
  connection_->check_loop(promise);
  suspend_waiter(promise);
  connection_->tls()->handshake_waiters().push_back(*this);
}

void HandshakeWait::await_resume() {
  bool cancelled = ended_cancelled();
  unlink();
  if (cancelled) {
    connection_->abort();
    throw_cancelled();
  }
  connection_->tls()->throw_if_failed();
}

}  // namespace asyncio::detail
