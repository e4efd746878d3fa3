// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/address.hpp"
#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/net/reader_state.hpp"
#include "asyncio/detail/net/write_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace asyncio {
class Transport;
}

namespace asyncio::detail {

class Connection;
class TlsLayer;
class TlsOptions;

/// Who wants to know what becomes of a connection.
class ConnectionOwner {
 public:
  virtual void connection_ended(Connection& connection) noexcept = 0;
  /// Of one that speaks TLS; with null it is ready for use, else it ends with that error.
  virtual void handshake_ended(Connection& connection, const std::exception_ptr& error) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// The transport that has a connection instead of a StreamReader and a StreamWriter.
class ConnectionUser {
 public:
  virtual void writing_paused() noexcept = 0;
  virtual void writing_resumed() noexcept = 0;
  /// `error` is what ended it; null if it was closed. Not called when the loop closes.
  virtual void connection_lost(std::exception_ptr error) noexcept = 0;
  /// The loop closes.
  virtual void abandoned() noexcept = 0;

 protected:
  ~ConnectionUser() = default;
};

/// What a Connection is made of.
enum class Medium : std::uint8_t {
  socket,
  read_pipe,   // closed when its end was read
  write_pipe,  // closed when its reader is gone
  device,      // a terminal that is written to
};

/// A connected byte stream: what a StreamReader and a StreamWriter have in common, in CPython a
/// socket transport with its StreamReaderProtocol.
///
/// Bytes are read when somebody asks for them, and until then stay in the kernel; so an idle
/// connection owns no buffer. Bytes are sent by `write` at once; what the kernel does not take is
/// queued and sent as room appears.
///
/// States: open; closing (`close` or `abort` was called, or an error ended both directions), in
/// which what is queued is still sent unless it was dropped; closed (`fd_` is -1), after a turn of
/// the loop, when no operation is left. A failed write ends writing only: what the peer sent before
/// can still be read, then comes the error, unless the peer had ended its side by itself.
///
/// With TLS in between, the layer takes what would go to the socket, and the other way round; a
/// plain connection pays for that with one test of a pointer.
///
/// Counted by handles (references) and by pending operations (pins); without references it closes.
class Connection final : public ReaderState, public Resource {
 public:
  static constexpr std::size_t kHighWater = 64 * 1024;
  static constexpr std::size_t kLowWater = 16 * 1024;

  Connection(Backend& backend, int fd, std::size_t limit, const SocketAddress& peer);
  /// One direction of something else than a socket. CPython: _UnixReadPipeTransport,
  /// _UnixWritePipeTransport.
  Connection(Backend& backend, int fd, std::size_t limit, Medium medium);

  bool fill(ReadWait& reader) override;
  void fill_failed(std::exception_ptr error) noexcept override;
  /// A read that finds nothing waits for `resume_reading`, also if something arrives.
  void pause_reading();
  void resume_reading();
  bool reading_paused() const noexcept { return reading_paused_; }
  /// Whether the peer has sent something, or its end, that was not read yet.
  bool has_arrived() const noexcept;

  /// Throws RuntimeError if it speaks TLS.
  void check_plain() const;
  /// Speaks TLS from now on.
  void start_tls(const TlsOptions& options);
  /// The same for one that its owner has accepted, who keeps it and waits for `handshake_ended`.
  void accept_tls(const TlsOptions& options);
  /// Null for a plain connection.
  TlsLayer* tls() const noexcept { return tls_.get(); }

  // Writing. CPython: _SelectorSocketTransport.
  void write(std::string_view data);
  void write(std::string&& data);
  void write_all(std::span<const std::string_view> pieces);
  void write_eof();
  void close();
  void abort() { force_close(nullptr); }
  /// Its server ends: a read that finds nothing finds the end of the stream, unless the peer has
  /// sent something and was not answered. Writing goes on as before.
  void drain();
  /// As abort, for a reason.
  void fail(std::exception_ptr error) { force_close(std::move(error)); }
  bool closing() const noexcept { return closing_ || write_error_; }
  bool closed() const noexcept { return fd_ < 0; }
  std::size_t queued() const noexcept { return queue_.size(); }
  std::size_t high_water() const noexcept { return high_water_; }
  std::size_t low_water() const noexcept { return low_water_; }
  void set_limits(std::optional<std::ptrdiff_t> high, std::optional<std::ptrdiff_t> low);

  /// While it is set, writes are refused, and drain waiters are woken when nothing is kept.
  void set_sending_file(bool sending) noexcept { sending_file_ = sending; }
  bool sending_file() const noexcept { return sending_file_; }

  // For the awaiters.
  bool paused() const noexcept { return paused_; }
  /// Whether a drain that has nothing to wait for should let the others run first.
  bool drain_must_yield() noexcept;
  void throw_if_failed() const;
  void throw_if_unwritable() const;
  void throw_if_lost() const;
  List<Waiter>& drain_waiters() noexcept { return drain_waiters_; }
  List<Waiter>& close_waiters() noexcept { return close_waiters_; }
  /// Ends what a failed write has left open, so that waiting for the end ends.
  void close_if_failed();

  const SocketAddress& peername() const noexcept { return peer_; }
  std::optional<SocketAddress> sockname() const;
  int fileno() const noexcept { return fd_; }
  void set_owner(ConnectionOwner* owner) noexcept { owner_ = owner; }
  void set_user(ConnectionUser* user) noexcept { user_ = user; }
  bool has_user() const noexcept { return user_ != nullptr; }
  /// The one that was set, as long as somebody keeps it.
  std::shared_ptr<Transport> transport() const noexcept { return transport_.lock(); }
  void set_transport(const std::shared_ptr<Transport>& transport) noexcept {
    transport_ = transport;
  }
  Backend& backend() const noexcept { return backend_; }
  Medium medium() const noexcept { return medium_; }

  void pin() noexcept { ++pins_; }
  void unpin() noexcept {
    if (--pins_ == 0 && !referenced()) delete this;
  }

 private:
  friend class TlsLayer;

  /// After so many reads or drains in a row that did not wait, one lets the other tasks run, so
  /// that a fast peer does not keep the loop to itself (fault 1).
  static constexpr std::uint8_t kImmediate = 16;

  struct Node : Ready {
    Node(Run function, Connection& owner) noexcept : Ready(function), connection(owner) {}
    Connection& connection;
  };
  struct Wake : Operation {
    Wake(Run function, Opcode what, int descriptor, Connection& owner) noexcept
        : Operation(function, what, descriptor), connection(owner) {
      stream = true;
    }
    Connection& connection;
    bool pending = false;
  };

  ~Connection() override;
  void unreferenced() noexcept override;
  void loop_closing() noexcept override;

  static void on_readable(Ready& node);
  static void on_reader_gone(Ready& node);
  static void on_writable(Ready& node);
  static void on_teardown(Ready& node);

  bool wait_for(Wake& wake) noexcept;
  std::int64_t receive(ReadWait& reader);
  void on_arrival() noexcept;
  bool at_rest() const noexcept;
  bool write_refused();
  void put(std::string_view record);
  template <class F>
  void keep_rest(bool begun, F push);
  std::size_t send_now(std::string_view data);
  std::size_t send_pieces(std::span<const std::string_view> pieces);
  std::size_t send_pieces_to_pipe(std::span<const std::string_view> pieces);
  std::string described(const char* verb) const;
  void flush();
  void queue_grew();
  void pause() noexcept;
  void queue_shrank();
  void sent_all();
  void note(int error) noexcept;
  void read_failed(int error);
  void failed(std::exception_ptr error);
  void write_failed(int error);
  void write_failed(std::exception_ptr error);
  void force_close(std::exception_ptr error);
  void schedule_teardown();
  void teardown();
  void ended() noexcept;
  void wake_all(List<Waiter>& waiters) noexcept;

  Backend& backend_;
  int fd_;
  Medium medium_ = Medium::socket;
  bool closing_ = false;
  bool reading_paused_ = false;
  bool paused_ = false;  // above the high-water mark, and not yet below the low one
  bool eof_requested_ = false;
  bool teardown_scheduled_ = false;
  bool sending_file_ = false;
  bool draining_ = false;
  bool much_arrives_ = false;  // the last time, into memory of its own
  bool unanswered_ = false;    // bytes were read, and nothing was written since
  bool cut_off_ = false;       // a write failed, and not because the peer had ended its side before
  bool descriptor_lost_ = false;  // somebody else has closed it
  std::uint8_t immediate_reads_ = 0;
  std::uint8_t immediate_drains_ = 0;
  std::uint8_t ignored_writes_ = 0;
  std::uint32_t pins_ = 0;
  Wake reading_;
  Wake writing_;
  Node teardown_;
  WriteQueue queue_;
  std::size_t high_water_ = kHighWater;
  std::size_t low_water_ = kLowWater;
  std::exception_ptr write_error_;
  std::exception_ptr lost_error_;
  List<Waiter> drain_waiters_;
  List<Waiter> close_waiters_;
  ConnectionOwner* owner_ = nullptr;
  ConnectionUser* user_ = nullptr;
  std::weak_ptr<Transport> transport_;
  SocketAddress peer_;
  std::unique_ptr<TlsLayer> tls_;
};

}  // namespace asyncio::detail
