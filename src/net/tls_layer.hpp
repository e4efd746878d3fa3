// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/net/byte_queue.hpp"
#include "asyncio/detail/net/connection.hpp"
#include "tls_engine.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::detail {

/// How one connection's TLS is made.
class TlsOptions {
 public:
  /// Throws   ValueError for a time limit that is not positive.
  TlsOptions(TlsContext tls_context, OptionalDelay handshake, OptionalDelay shutdown);

  /// Throws   ValueError if a client that checks the host's name gets none.
  void set_server_hostname(const std::optional<std::string>& name);

  TlsContext context;
  std::string server_hostname;
  std::vector<std::string> alpn_protocols;  // of a client whose context names none
  Delay handshake_timeout = std::chrono::seconds(60);
  Delay shutdown_timeout = std::chrono::seconds(30);
};

/// Between a Connection and its socket, where TLS is spoken. CPython: asyncio/sslproto.py.
///
/// States: handshaking, in which reads wait and writes are kept; open; closing (close_notify is on
/// its way, and what arrives is dropped until the peer has said the same); over, when the handshake
/// has failed or nothing is to be waited for any more.
class TlsLayer final : public TlsCarrier, private Timer {
 public:
  TlsLayer(Connection& connection, const TlsOptions& options);
  ~TlsLayer();

  TlsEngine& engine() noexcept { return engine_; }
  const TlsContext& context() const noexcept { return context_; }
  bool handshaking() const noexcept { return state_ == State::handshaking; }
  /// Whether what arrives is for this alone.
  bool takes_input() const noexcept {
    return state_ == State::handshaking || state_ == State::closing;
  }
  bool over() const noexcept { return state_ == State::over; }
  List<Waiter>& handshake_waiters() noexcept { return handshake_waiters_; }
  /// Why the handshake failed.
  void throw_if_failed() const;

  /// Starts the handshake. Bytes that were read before belong to it.
  void begin();
  /// The same; the owner of the connection is told the outcome. Until then this keeps the
  /// connection alive: there are no streams yet that would.
  void begin_for_owner() {
    held_ = Ref<Connection>::share(&connection_);
    begin();
  }
  /// The socket may have become readable.
  void on_input();

  /// As Connection::receive.
  std::int64_t receive(ReadWait& reader);
  /// Serves a reader with what has arrived before.
  std::int64_t decrypt(ReadWait& reader);
  void write(std::string_view data);
  void write_all(std::span<const std::string_view> pieces);
  /// Sends close_notify and waits for the peer's.
  void begin_close();
  /// The connection is closed: nothing may be waited for.
  void ended() noexcept;

 private:
  enum class State : std::uint8_t { handshaking, open, closing, over };

  void send_record(std::string_view bytes) override;
  std::string peer_text() const override { return connection_.peername().str(); }

  static void on_timeout(Ready& node);
  void timed_out();
  void arm(Delay delay);
  void disarm() noexcept;
  std::int64_t feed_some();
  void shake_hands();
  void handshake_ended(std::exception_ptr error);
  void drop_input();
  void finish_close();
  void send_staged();
  std::int64_t decrypt_into(std::span<char> room, ReadWait& reader);
  std::int64_t decrypt_into_buffer();

  Connection& connection_;
  TlsContext context_;
  State state_ = State::handshaking;
  bool staging_ = false;
  std::size_t staged_ = 0;   // bytes of records in the backend's scratch room
  std::size_t answers_ = 0;  // unsent bytes that the peer made us write
  std::size_t dropped_ = 0;  // bytes that came after our close_notify
  Delay handshake_timeout_;
  Delay shutdown_timeout_;
  ByteQueue backlog_;  // written during the handshake
  List<Waiter> handshake_waiters_;
  Ref<Connection> held_;
  std::exception_ptr handshake_error_;
  TlsEngine engine_;
};

/// Awaits the handshake. A cancellation closes the connection: half a handshake is of no use.
class [[nodiscard("co_await it")]] HandshakeWait final : public Waiter {
 public:
  explicit HandshakeWait(Ref<Connection> connection) noexcept
      : connection_(std::move(connection)) {}
  bool await_ready() const noexcept { return !connection_->tls()->handshaking(); }
  void await_suspend(PromiseBase& promise);
  void await_resume();
  AwaitableKind kind() const noexcept override { return AwaitableKind::tls_handshake; }

 private:
  Ref<Connection> connection_;
};

}  // namespace asyncio::detail
