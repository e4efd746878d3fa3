// SPDX-License-Identifier: BSL-1.0
/// The chapter "Streams" of asyncio's documentation.
#pragma once

#include "asyncio/address.hpp"
#include "asyncio/coro.hpp"
#include "asyncio/detail/net/connection.hpp"
#include "asyncio/detail/net/read_awaiters.hpp"
#include "asyncio/detail/net/write_awaiters.hpp"
#include "asyncio/dns.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/time.hpp"
#include "asyncio/tls.hpp"
#include "asyncio/transport_socket.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

class Transport;

/// What a read returns and a write takes: bytes, not characters.
using Bytes = std::string;

/// The default of every `limit`: how long a line may be, and half of what is read ahead.
inline constexpr std::size_t kDefaultLimit = 64 * 1024;

/// Reads from a connection, or bytes that are fed to it by hand. A handle: copies name the same
/// reader. When the last reader and writer of a connection are gone, it is closed.
///
/// One task at a time may wait in it; a second one gets a RuntimeError. A cancelled read has taken
/// nothing: its bytes are there for the next.
///
/// Thread   the loop's.
/// asyncio  Streams, StreamReader
class StreamReader {
 public:
  /// A reader for bytes that come through feed_data.
  ///
  /// Throws   ValueError if `limit` is 0; RuntimeError if there is no event loop.
  explicit StreamReader(std::size_t limit = kDefaultLimit);
  StreamReader(std::size_t limit, const EventLoop& loop);

  /// Up to `count` bytes; all up to the end if it is negative.
  ///
  /// Awaits   one byte at least; the end, for a negative count. Does not suspend if there are some.
  /// Returns  the bytes; none at the end of the stream.
  /// Throws   the error of the connection, after the bytes that came before it.
  /// Cancel   takes nothing.
  detail::ReadSome read(std::ptrdiff_t count = -1) const { return {state_, count}; }

  /// The same into memory of the caller's, which has to stay until the await ends.
  ///
  /// Returns  how many bytes; 0 at the end of the stream, or if `room` is empty.
  detail::ReadInto read_into(std::span<char> room) const { return {state_, room}; }
  detail::ReadInto read_into(std::span<std::byte> room) const {
    return {state_, std::span(reinterpret_cast<char*>(room.data()), room.size())};
  }

  /// Exactly `count` bytes.
  ///
  /// Throws   IncompleteReadError, with what there was, if the stream ends before.
  /// Cancel   takes nothing.
  detail::ReadExactly readexactly(std::size_t count) const { return {state_, count}; }

  /// A line with its '\n'; without it at the end of the stream; nothing after that.
  ///
  /// Throws   ValueError if the line is longer than `limit`; it is dropped as far as it has come.
  /// Cancel   takes nothing.
  detail::ReadLine readline() const { return detail::ReadLine(state_); }

  /// Everything up to and with the separator.
  ///
  /// Throws   IncompleteReadError, with what there was, if the stream ends before;
  ///          LimitOverrunError, taking nothing, if there are more than `limit` bytes before the
  ///          separator; ValueError if it is empty.
  /// Cancel   takes nothing.
  detail::ReadUntil readuntil(std::string_view separator = "\n") const {
    return {state_, separator};
  }
  /// The same up to whichever of several separators ends first.
  detail::ReadUntil readuntil(std::vector<std::string> separators) const {
    return {state_, std::move(separators)};
  }
  template <std::convertible_to<std::string>... More>
    requires(sizeof...(More) > 0)
  detail::ReadUntil readuntil(std::string first, More... more) const {
    std::vector<std::string> separators;
    separators.push_back(std::move(first));
    (separators.push_back(std::move(more)), ...);
    return readuntil(std::move(separators));
  }

  /// As readuntil, without a copy.
  ///
  /// Returns  a view into the reader. It is good until the next read of this stream, whatever
  ///          arrives meanwhile, and no longer than its readers and writers; start_tls ends it too.
  detail::ReadUntilView readuntil_view(std::string_view separator = "\n") const {
    return {state_, separator};
  }
  detail::ReadUntilView readuntil_view(std::vector<std::string> separators) const {
    return {state_, std::move(separators)};
  }

  /// The next line, as readline; nullopt at the end of the stream. Python: `async for`.
  detail::NextLine next() const { return detail::NextLine(state_); }

  /// Whether the end has been seen and everything before it was read.
  bool at_eof() const noexcept { return state_->at_eof(); }

  /// Adds bytes, as a connection does.
  ///
  /// Throws   RuntimeError after feed_eof.
  void feed_data(std::string_view data) const { state_->feed_data(data); }
  void feed_eof() const { state_->feed_eof(); }

  /// What was set, or the error that ended the connection; null if there is none.
  std::exception_ptr exception() const noexcept {
    return state_->exception() ? state_->exception() : state_->failure();
  }
  /// Makes this and every later read throw `error`.
  void set_exception(std::exception_ptr error) const { state_->set_exception(std::move(error)); }
  template <class E>
    requires(!std::same_as<std::remove_cvref_t<E>, std::exception_ptr>)
  void set_exception(E&& error) const {
    set_exception(std::make_exception_ptr(std::forward<E>(error)));
  }

  friend bool operator==(const StreamReader&, const StreamReader&) noexcept = default;

  explicit StreamReader(detail::Ref<detail::ReaderState> state) noexcept
      : state_(std::move(state)) {}
  /// For the library.
  const detail::Ref<detail::ReaderState>& state() const noexcept { return state_; }

 private:
  detail::Ref<detail::ReaderState> state_;
};

/// How TLS begins on a connection that exists.
class TlsStartOptions {
 public:
  TlsStartOptions() {}

  /// For clients: the host whose certificate is expected, and what the server is asked for.
  TlsStartOptions& server_hostname(std::string name) {
    server_hostname_ = std::move(name);
    return *this;
  }
  /// How long the handshake may take; 60 seconds by default.
  TlsStartOptions& ssl_handshake_timeout(Delay limit) {
    handshake_timeout_ = limit;
    return *this;
  }
  /// How long `close` waits for the peer's goodbye; 30 seconds by default.
  TlsStartOptions& ssl_shutdown_timeout(Delay limit) {
    shutdown_timeout_ = limit;
    return *this;
  }

  /// For clients: what is offered by ALPN, in the order of preference, if the context names none.
  TlsStartOptions& alpn_protocols(std::vector<std::string> protocols) {
    alpn_protocols_ = std::move(protocols);
    return *this;
  }

  const std::optional<std::string>& get_server_hostname() const noexcept {
    return server_hostname_;
  }
  const std::vector<std::string>& get_alpn_protocols() const noexcept { return alpn_protocols_; }
  OptionalDelay get_ssl_handshake_timeout() const noexcept { return handshake_timeout_; }
  OptionalDelay get_ssl_shutdown_timeout() const noexcept { return shutdown_timeout_; }

 private:
  std::optional<std::string> server_hostname_;
  std::vector<std::string> alpn_protocols_;
  OptionalDelay handshake_timeout_;
  OptionalDelay shutdown_timeout_;
};

/// Writes to a connection. A handle: copies name the same connection.
///
/// Over TLS `close` says goodbye (close_notify) and waits for the peer's, for a limited time;
/// `abort` does not. A connection that ends without the peer's goodbye is an SSLEOFError.
///
/// Thread   the loop's.
/// asyncio  Streams, StreamWriter
class StreamWriter {
 public:
  /// Sends the bytes, or keeps those that the kernel does not take yet; `drain` limits how many.
  /// After the connection was lost, bytes are dropped: `drain` tells.
  ///
  /// Throws   RuntimeError after write_eof.
  void write(std::string&& data) const { connection_->write(std::move(data)); }
  void write(std::string_view data) const { connection_->write(data); }
  void write(const char* data) const { connection_->write(std::string_view(data)); }
  void write(std::span<const std::byte> data) const {
    connection_->write(std::string_view(reinterpret_cast<const char*>(data.data()), data.size()));
  }

  /// The same for a range of strings, with as few system calls as possible.
  template <std::ranges::input_range R>
    requires std::convertible_to<std::ranges::range_reference_t<R>, std::string_view>
  void writelines(R&& lines) const {
    using Line = std::ranges::range_reference_t<R>;
    if constexpr (std::is_lvalue_reference_v<Line> ||
                  std::is_same_v<std::remove_cv_t<Line>, std::string_view>) {
      std::vector<std::string_view> pieces;
      for (auto&& line : lines) pieces.emplace_back(line);
      connection_->write_all(pieces);
    } else {
      std::string joined;
      for (auto&& line : lines) joined += std::string_view(line);
      connection_->write(std::move(joined));
    }
  }

  /// Waits until what is kept has shrunk to the low-water mark, if it is above the high one.
  ///
  /// Awaits   the peer; suspends only above the high-water mark or on a closing connection, and now
  ///          and then to let other tasks run. Any number of tasks may wait.
  /// Throws   the error of the connection; ConnectionResetError if it is closed.
  /// Cancel   ends the wait; what was written is still sent.
  detail::Drain drain() const { return detail::Drain(connection_); }

  /// write(data) and drain(). The writing happens when it is awaited; a view is used only then.
  detail::Send send(std::string&& data) const { return {connection_, std::move(data)}; }
  detail::Send send(std::string_view data) const { return {connection_, data}; }
  detail::Send send(const char* data) const { return {connection_, std::string_view(data)}; }

  /// Closes the writing end when everything is sent: the peer reads the end of the stream.
  ///
  /// Throws   RuntimeError over TLS.
  void write_eof() const { connection_->write_eof(); }
  bool can_write_eof() const noexcept { return !connection_->tls(); }

  /// Speaks TLS from now on: as a server if the context is for servers, else as a client. The
  /// streams stay the same. Bytes that were received and not read are taken for TLS, so that
  /// nobody can slip in plain text.
  ///
  /// Awaits   drain() and the handshake; reads meanwhile wait, writes are kept.
  /// Throws   RuntimeError for the writer of a StreamReaderProtocol, which has loop.start_tls;
  ///          ValueError for a client without a server_hostname; SSLCertVerificationError,
  ///          SSLError, ConnectionResetError if the peer ends the connection,
  ///          ConnectionAbortedError after the time limit. The connection is closed then.
  /// Cancel   closes the connection.
  /// asyncio  Streams, StreamWriter.start_tls
  Coro<void> start_tls(TlsContext context, TlsStartOptions options = {}) const;
  /// What TLS is like on this connection; nullopt if it is plain.
  std::optional<TlsInfo> ssl_object() const;
  /// The context that its TLS began with; nullopt if it is plain.
  std::optional<TlsContext> sslcontext() const;

  /// Closes the connection when everything is sent. A read that waits ends as at the end of the
  /// stream. Harmless a second time.
  ///
  /// A peer that does not read keeps it open: give wait_closed a time limit, then `abort`.
  void close() const { connection_->close(); }
  bool is_closing() const noexcept { return connection_->closing(); }
  /// Closes at once and drops what was not sent.
  void abort() const { connection_->abort(); }

  /// Awaits   the end of the connection.
  /// Throws   the error that ended it.
  /// Cancel   ends the wait alone.
  detail::WaitClosed wait_closed() const { return detail::WaitClosed(connection_); }

  /// "peername" or "sockname" as "127.0.0.1:80"; over TLS "cipher" (its name, the version and the
  /// bits, as "TLS_AES_256_GCM_SHA384 TLSv1.3 256"), "selected_alpn_protocol", and "peercert" (its
  /// subject, as "commonName=example.org"). nullopt for any other name, or if it is unknown; so
  /// "compression", which TLS has never here. What is no text has a member of its own: socket(),
  /// ssl_object(), sslcontext(); for "pipe" there is fileno().
  std::optional<std::string> get_extra_info(std::string_view name) const;
  const SocketAddress& peername() const noexcept { return connection_->peername(); }
  /// Our own address; nullopt once the connection is closed.
  std::optional<SocketAddress> sockname() const { return connection_->sockname(); }
  /// The descriptor, which stays the connection's; -1 once it is closed.
  int fileno() const noexcept { return connection_->fileno(); }
  /// To set options, say; nullopt for a pipe.
  std::optional<TransportSocket> socket() const;

  /// How many bytes are kept.
  std::size_t get_write_buffer_size() const noexcept { return connection_->queued(); }
  /// (low, high) in bytes; 16 KiB and 64 KiB by default.
  std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept {
    return {connection_->low_water(), connection_->high_water()};
  }
  /// In bytes. `high` alone makes low a quarter of it, `low` alone makes high four times as much;
  /// without both it is the default.
  ///
  /// Throws   ValueError unless high >= low >= 0.
  void set_write_buffer_limits(std::optional<std::ptrdiff_t> high = std::nullopt,
                               std::optional<std::ptrdiff_t> low = std::nullopt) const {
    connection_->set_limits(high, low);
  }

  /// The transport of the connection, for what takes one; it is complete with transports.hpp. The
  /// same object as long as somebody keeps it, which keeps the connection open as a writer does; of
  /// a StreamReaderProtocol the one that it was made with.
  ///
  /// While its `pause_reading` is in force, a read that finds nothing waits for `resume_reading`.
  /// Streams need no protocol: `get_protocol` gives null, `set_protocol` throws RuntimeError.
  ///
  /// asyncio  Streams, StreamWriter.transport
  std::shared_ptr<Transport> transport() const;

  friend bool operator==(const StreamWriter&, const StreamWriter&) noexcept = default;

  explicit StreamWriter(detail::Ref<detail::Connection> connection) noexcept
      : connection_(std::move(connection)) {}
  /// For the library.
  const detail::Ref<detail::Connection>& connection() const noexcept { return connection_; }

 private:
  detail::Ref<detail::Connection> connection_;
};

/// How open_connection connects.
class ConnectOptions {
 public:
  ConnectOptions() {}

  /// How long a line may be.
  ConnectOptions& limit(std::size_t bytes) {
    limit_ = bytes;
    return *this;
  }
  /// Restricts the addresses that are tried.
  ConnectOptions& family(AddressFamily family) {
    family_ = family;
    return *this;
  }
  /// The protocol number for the socket; 0, the default, lets the system choose.
  ConnectOptions& proto(int number) {
    proto_ = number;
    return *this;
  }
  /// AI_... flags for the name's resolution.
  ConnectOptions& flags(int ai_flags) {
    flags_ = ai_flags;
    return *this;
  }
  /// The address to connect from; port 0 lets the system choose.
  ConnectOptions& local_addr(std::string host, std::uint16_t port) {
    local_host_ = std::move(host);
    local_port_ = port;
    return *this;
  }
  /// Tries the next address also when the one before has neither succeeded nor failed for so long
  /// (RFC 8305 recommends 250 ms); the first that connects wins. By default one after another.
  ConnectOptions& happy_eyeballs_delay(OptionalDelay delay) {
    happy_eyeballs_delay_ = delay;
    return *this;
  }
  /// Alternates between address families, after so many of the first; 0 keeps the resolver's order.
  /// By default 1 with happy_eyeballs_delay, else 0.
  ConnectOptions& interleave(unsigned first_family_count) {
    interleave_ = first_family_count;
    return *this;
  }
  /// Speaks TLS, and checks that the certificate is for the host.
  ConnectOptions& ssl(TlsContext context) {
    ssl_ = std::move(context);
    return *this;
  }
  /// The host that the certificate has to be for, if it is not the one connected to.
  ConnectOptions& server_hostname(std::string name) {
    tls_.server_hostname(std::move(name));
    return *this;
  }
  /// How long the TLS handshake may take; 60 seconds by default.
  ConnectOptions& ssl_handshake_timeout(Delay limit) {
    tls_.ssl_handshake_timeout(limit);
    return *this;
  }
  /// How long `close` waits for the peer's goodbye; 30 seconds by default.
  ConnectOptions& ssl_shutdown_timeout(Delay limit) {
    tls_.ssl_shutdown_timeout(limit);
    return *this;
  }
  /// What is offered by ALPN, in the order of preference, if the context of `ssl` names none.
  ConnectOptions& alpn_protocols(std::vector<std::string> protocols) {
    tls_.alpn_protocols(std::move(protocols));
    return *this;
  }
  /// Throws an ExceptionGroup of what went wrong with each address.
  ConnectOptions& all_errors(bool enabled) {
    all_errors_ = enabled;
    return *this;
  }

  std::size_t get_limit() const noexcept { return limit_; }
  AddressFamily get_family() const noexcept { return family_; }
  int get_proto() const noexcept { return proto_; }
  int get_flags() const noexcept { return flags_; }
  const std::optional<std::string>& get_local_host() const noexcept { return local_host_; }
  std::uint16_t get_local_port() const noexcept { return local_port_; }
  OptionalDelay get_happy_eyeballs_delay() const noexcept { return happy_eyeballs_delay_; }
  unsigned get_interleave() const noexcept {
    return interleave_.value_or(happy_eyeballs_delay_ ? 1 : 0);
  }
  bool get_all_errors() const noexcept { return all_errors_; }
  const std::optional<TlsContext>& get_ssl() const noexcept { return ssl_; }
  const TlsStartOptions& get_tls() const noexcept { return tls_; }

 private:
  std::size_t limit_ = kDefaultLimit;
  AddressFamily family_ = AddressFamily::unspecified;
  int proto_ = 0;
  int flags_ = 0;
  std::optional<std::string> local_host_;
  std::uint16_t local_port_ = 0;
  OptionalDelay happy_eyeballs_delay_;
  std::optional<unsigned> interleave_;
  bool all_errors_ = false;
  std::optional<TlsContext> ssl_;
  TlsStartOptions tls_;
};

/// The two halves of a connection: `auto [reader, writer] = co_await open_connection(...)`.
using Streams = std::pair<StreamReader, StreamWriter>;

/// Connects to `host`, a name or a numeric address, trying its addresses one after another, or
/// overlapping: see ConnectOptions::happy_eyeballs_delay. `service` is the port, or the name of its
/// service: 80, "80", "http".
///
/// Awaits   the resolution of names, the connection, and with `ssl` the handshake.
/// Throws   GaiError if the name has no address, or there is no such service; OSError
///          (ConnectionRefusedError, TimeoutError, ...) with the address and reason, of each
///          address if there are several; with `ssl` what StreamWriter::start_tls throws;
///          ValueError for options that do not fit together, as a server's context, for a limit
///          of 0 and for a number that is no port.
/// Cancel   ends the attempt; nothing stays open.
/// Thread   the loop's.
/// asyncio  Streams, open_connection
Coro<Streams> open_connection(std::string host, ServicePort service, ConnectOptions options = {});

/// The streams of a connected socket that somebody else made, which they close, also if TLS fails;
/// the caller still has it after an error that is about the descriptor itself.
///
/// Throws   ValueError unless `sock` is a connected stream socket; RuntimeError if something of
///          this loop has it; with `ssl` what StreamWriter::start_tls throws.
Coro<Streams> open_connection(int sock, ConnectOptions options = {});

/// Connects to the Unix socket at `path`; a path that begins with a zero byte is an abstract name.
/// Of the options only the limit and those of TLS mean something here.
///
/// Awaits   the connection; while the server's backlog is full, room in it.
/// Throws   FileNotFoundError, ConnectionRefusedError or another OSError, with the path; ValueError
///          for a path that cannot be one.
/// Cancel   ends the attempt; nothing stays open.
/// Thread   the loop's.
/// asyncio  Streams, open_unix_connection
Coro<Streams> open_unix_connection(std::string path, ConnectOptions options = {});

}  // namespace asyncio

#include "asyncio/server.hpp"  // IWYU pragma: export
