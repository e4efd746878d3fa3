// SPDX-License-Identifier: BSL-1.0
/// The chapter "Transports and Protocols" of asyncio's documentation: transports, and the members
/// of the loop that make them.
#pragma once

#include "asyncio/address.hpp"
#include "asyncio/protocols.hpp"
#include "asyncio/tls.hpp"
#include "asyncio/transport_socket.hpp"

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio {

/// A channel that calls a protocol: the callback face of what streams do.
///
/// Thread   the loop's.
/// asyncio  Transports and Protocols, Base Transport
class BaseTransport {
 public:
  BaseTransport() = default;
  BaseTransport(const BaseTransport&) = delete;
  BaseTransport& operator=(const BaseTransport&) = delete;
  virtual ~BaseTransport() = default;

  /// Sends what is kept, then ends in connection_lost(nullptr). Harmless a second time.
  virtual void close() = 0;
  virtual bool is_closing() const noexcept = 0;
  /// As StreamWriter::get_extra_info. Python's "subprocess" is the SubprocessTransport itself.
  virtual std::optional<std::string> get_extra_info(std::string_view name) const = 0;
  /// Throws   TypeError for a protocol of another kind of transport; RuntimeError of the transport
  ///          of streams.
  virtual void set_protocol(std::shared_ptr<BaseProtocol> protocol) = 0;
  /// Null after connection_lost, and of the transport of streams.
  virtual std::shared_ptr<BaseProtocol> get_protocol() const = 0;
};

class ReadTransport : public virtual BaseTransport {
 public:
  virtual bool is_reading() const noexcept = 0;
  /// The protocol receives nothing until `resume_reading`. Harmless a second time, as that.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
};

class WriteTransport : public virtual BaseTransport {
 public:
  /// Closes at once and drops what is kept.
  virtual void abort() = 0;
  /// Sends the bytes, or keeps those that the system does not take yet. After the connection was
  /// lost, bytes are dropped.
  ///
  /// Throws   RuntimeError after write_eof.
  virtual void write(std::string_view data) = 0;
  virtual void write(std::string&& data) = 0;
  void write(const char* data) { write(std::string_view(data)); }
  /// The same for several pieces, with as few system calls as possible.
  virtual void write_pieces(std::span<const std::string_view> pieces) = 0;
  template <std::ranges::input_range R>
    requires std::convertible_to<std::ranges::range_reference_t<R>, std::string_view>
  void writelines(const R& lines) {
    std::vector<std::string_view> pieces;
    for (const auto& line : lines) pieces.emplace_back(line);
    write_pieces(pieces);
  }
  /// Closes the writing end when everything is sent; of a pipe, the pipe.
  virtual void write_eof() = 0;
  virtual bool can_write_eof() const noexcept = 0;

  virtual std::size_t get_write_buffer_size() const noexcept = 0;
  /// (low, high) in bytes.
  virtual std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept = 0;
  /// As StreamWriter::set_write_buffer_limits.
  virtual void set_write_buffer_limits(std::optional<std::ptrdiff_t> high = std::nullopt,
                                       std::optional<std::ptrdiff_t> low = std::nullopt) = 0;
};

/// asyncio  Transports and Protocols, Read-only and Write-only Transports
class Transport : public ReadTransport, public WriteTransport {
 public:
  /// The descriptor, which stays the transport's; -1 once it is closed.
  virtual int fileno() const noexcept = 0;
  /// nullopt for what is no socket.
  virtual std::optional<TransportSocket> socket() const = 0;
  /// What TLS is like on this connection; nullopt if it is plain.
  virtual std::optional<TlsInfo> ssl_object() const = 0;
  /// The context that its TLS began with; nullopt if it is plain.
  virtual std::optional<TlsContext> sslcontext() const = 0;
};

/// asyncio  Transports and Protocols, Datagram Transports
class DatagramTransport : public virtual BaseTransport {
 public:
  /// Sends a datagram, also an empty one; to the remote address of the endpoint if there is one.
  ///
  /// Throws   ValueError for another address than that.
  virtual void sendto(std::string_view data,
                      const std::optional<SocketAddress>& receiver = std::nullopt) = 0;
  virtual void abort() = 0;
  virtual std::size_t get_write_buffer_size() const noexcept = 0;
  virtual std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept = 0;
  /// As StreamWriter::set_write_buffer_limits.
  virtual void set_write_buffer_limits(std::optional<std::ptrdiff_t> high = std::nullopt,
                                       std::optional<std::ptrdiff_t> low = std::nullopt) = 0;
  /// Its own address; nullopt once it is closed.
  virtual std::optional<SocketAddress> sockname() const = 0;
  virtual TransportSocket socket() const = 0;
};

/// asyncio  Transports and Protocols, Subprocess Transports
class SubprocessTransport : public virtual BaseTransport {
 public:
  virtual int get_pid() const noexcept = 0;
  /// nullopt while the process runs.
  virtual std::optional<int> get_returncode() const noexcept = 0;
  /// Of 0, 1 or 2; null for what is not PIPE.
  virtual std::shared_ptr<Transport> get_pipe_transport(int fd) const noexcept = 0;
  /// Throws   ProcessLookupError if the process has ended.
  virtual void send_signal(int signal) = 0;
  virtual void terminate() = 0;
  virtual void kill() = 0;
};

}  // namespace asyncio

#include "asyncio/detail/net/transport_calls.hpp"  // IWYU pragma: export
