// SPDX-License-Identifier: BSL-1.0
/// The socket of a transport.
#pragma once

#include "asyncio/address.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio {

namespace detail {

class Backend;

/// Whose socket it is.
class SocketHolder {
 public:
  virtual Backend& socket_backend() const noexcept = 0;
  virtual int socket_number() const noexcept = 0;

 protected:
  ~SocketHolder() = default;
};

}  // namespace detail

/// The socket of a connection or an endpoint for datagrams, to look at and to set options of.
/// Reading, writing and closing are the transport's. A handle, which keeps the transport as the
/// transport's own does; once that is closed, `fileno` is -1 and the rest an OSError.
///
/// Thread   the loop's.
/// asyncio  get_extra_info("socket"), trsock.TransportSocket
class TransportSocket {
 public:
  /// The descriptor, which stays the transport's. On a simulated loop a number that no descriptor
  /// has.
  int fileno() const noexcept { return holder_->socket_number(); }
  AddressFamily family() const { return getsockname().family(); }
  /// SOCK_STREAM, SOCK_DGRAM, ...
  int type() const;
  /// IPPROTO_TCP, ...
  int proto() const;
  SocketAddress getsockname() const;
  SocketAddress getpeername() const;

  /// An option that is a number: `getsockopt(SOL_SOCKET, SO_RCVBUF)`.
  int getsockopt(int level, int name) const;
  /// Another one, of `size` bytes at most.
  std::string getsockopt(int level, int name, std::size_t size) const;
  void setsockopt(int level, int name, int value) const;
  void setsockopt(int level, int name, std::string_view value) const;

  /// For the library.
  explicit TransportSocket(std::shared_ptr<const detail::SocketHolder> holder) noexcept
      : holder_(std::move(holder)) {}

 private:
  std::shared_ptr<const detail::SocketHolder> holder_;
};

}  // namespace asyncio
