// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/datagrams.hpp"
#include "asyncio/detail/net/connection.hpp"
#include "asyncio/dns.hpp"
#include "asyncio/streams.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace asyncio::detail {

/// What open_connection connects.
Coro<Ref<Connection>> connect_host(Backend& backend, std::string host, ServicePort service,
                                   ConnectOptions options);
Coro<Ref<Connection>> connect_path(Backend& backend, std::string path, ConnectOptions options);
/// A connected socket of somebody else's; throws ValueError for another one.
Coro<Ref<Connection>> connect_socket(Backend& backend, int sock, ConnectOptions options);
/// A pipe, socket or character device of somebody else's; throws ValueError for anything else.
Coro<Ref<Connection>> connect_pipe(Backend& backend, int fd, std::size_t limit, bool writes);

/// What create_datagram_endpoint opens. The descriptor is the holder's.
class DatagramSocket {
 public:
  DatagramSocket(Backend& where, int number, std::optional<SocketAddress> peer) noexcept
      : backend(&where), fd(number), remote(std::move(peer)) {}
  DatagramSocket(DatagramSocket&& other) noexcept
      : backend(other.backend), fd(std::exchange(other.fd, -1)), remote(std::move(other.remote)) {}
  DatagramSocket& operator=(DatagramSocket other) noexcept {
    std::swap(backend, other.backend);
    std::swap(fd, other.fd);
    std::swap(remote, other.remote);
    return *this;
  }
  ~DatagramSocket() {
    if (fd >= 0) backend->close_fd(fd);
  }

  Backend* backend;
  int fd;
  std::optional<SocketAddress> remote;  // to which all datagrams go
};

Coro<DatagramSocket> open_datagrams(Backend& backend, DatagramOptions options);

}  // namespace asyncio::detail
