// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/net/connection.hpp"
#include "asyncio/transports.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::detail {

/// What the transports of connections and pipes have in common, with a protocol or for streams:
/// everything but who gets the bytes that arrive.
class ConnectionTransport : public Transport, public SocketHolder {
 public:
  void close() override;
  bool is_closing() const noexcept final;
  std::optional<std::string> get_extra_info(std::string_view name) const final;

  void abort() override;
  void write(std::string_view data) final;
  void write(std::string&& data) final;
  void write_pieces(std::span<const std::string_view> pieces) final;
  void write_eof() final;
  bool can_write_eof() const noexcept final;
  std::size_t get_write_buffer_size() const noexcept final;
  std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept final;
  void set_write_buffer_limits(std::optional<std::ptrdiff_t> high,
                               std::optional<std::ptrdiff_t> low) final;

  int fileno() const noexcept final;
  std::optional<TransportSocket> socket() const final;
  std::optional<TlsInfo> ssl_object() const final;
  std::optional<TlsContext> sslcontext() const final;

  Backend& socket_backend() const noexcept final { return connection_->backend(); }
  int socket_number() const noexcept final { return fileno(); }

  const Ref<Connection>& connection() const noexcept { return connection_; }
  /// Throws RuntimeError if start_tls has put another one in its place.
  void check_not_retired() const;

 protected:
  explicit ConnectionTransport(Ref<Connection> connection) noexcept
      : connection_(std::move(connection)) {}

  Ref<Connection> connection_;
  bool retired_ = false;
};

/// What a transport of this library stands on; null for one of somebody else's.
const Ref<Connection>* own_connection(const Transport& transport);

}  // namespace asyncio::detail
