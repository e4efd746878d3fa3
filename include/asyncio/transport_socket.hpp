// SPDX-License-Identifier: BSL-1.0
/// The socket of a transport.
#pragma once

#include "asyncio/address.hpp"

#include <cstddef>
#include <cstdint>
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
/// transport's own does; once that is closed, `fileno` is -1 and the rest an OSError. It never
/// blocks, so there is no setblocking, settimeout and gettimeout.
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

  /// Another descriptor of the same socket, which is the caller's to close; child processes do not
  /// inherit it.
  ///
  /// Throws   OSError, also on a simulated loop, which has none.
  int dup() const;
  /// Ends receiving (SHUT_RD), sending (SHUT_WR) or both (SHUT_RDWR) at once. What the transport
  /// still keeps is not sent: its write_eof waits for that.
  void shutdown(int how) const;

  /// For the library.
  explicit TransportSocket(std::shared_ptr<const detail::SocketHolder> holder) noexcept
      : holder_(std::move(holder)) {}

 private:
  std::shared_ptr<const detail::SocketHolder> holder_;
};

/// A socket that a server listens on. It keeps the server, not its service; once that is closed,
/// `fileno` is -1. It can stand for its address.
///
/// Thread   the loop's.
/// asyncio  Event Loop, Server.sockets
class ListeningSocket : public TransportSocket {
 public:
  using TransportSocket::TransportSocket;

  operator SocketAddress() const { return getsockname(); }
  std::string host() const { return getsockname().host(); }
  std::uint16_t port() const { return getsockname().port(); }
  std::string path() const { return getsockname().path(); }
  std::string str() const { return getsockname().str(); }
};

}  // namespace asyncio
