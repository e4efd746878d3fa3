// SPDX-License-Identifier: BSL-1.0
/// Addresses of sockets.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace asyncio {

/// AF_UNSPEC (any), AF_INET, AF_INET6 and AF_UNIX (compilers predefine `unix`, so by its other
/// name).
enum class AddressFamily : std::uint8_t { unspecified, inet, inet6, local };

namespace detail {
struct SocketAddressAccess;
}

/// A numeric address and port, or the path of a Unix socket.
class SocketAddress {
 public:
  SocketAddress() noexcept = default;

  /// Of an IPv4 or IPv6 address: "127.0.0.1", "::1", "fe80::1%eth0".
  ///
  /// Throws   ValueError for anything else; GaiError for an interface that is not there.
  static SocketAddress numeric(const std::string& host, std::uint16_t port);

  /// Of a Unix socket; a path that begins with a zero byte is in the abstract name space.
  ///
  /// Throws   ValueError if `path` is empty or has a zero byte inside; OSError if it has more than
  ///          107 bytes.
  static SocketAddress local(std::string path);

  AddressFamily family() const noexcept { return family_; }
  /// "127.0.0.1", "::1", "fe80::1%eth0".
  std::string host() const;
  std::uint16_t port() const noexcept { return port_; }
  /// The interface an IPv6 link-local address belongs to, else 0.
  std::uint32_t scope_id() const noexcept { return scope_id_; }

  /// Of a Unix socket; empty for one without a name.
  const std::string& path() const noexcept { return path_; }

  /// "127.0.0.1:80", "[::1]:80", "/run/app.sock", "@abstract".
  std::string str() const;

  friend bool operator==(const SocketAddress&, const SocketAddress&) noexcept = default;

 private:
  friend struct detail::SocketAddressAccess;

  std::array<unsigned char, 16> bytes_{};  // network order; IPv4 takes the first four
  std::string path_;
  std::uint32_t scope_id_ = 0;
  std::uint16_t port_ = 0;
  AddressFamily family_ = AddressFamily::unspecified;
};

}  // namespace asyncio
