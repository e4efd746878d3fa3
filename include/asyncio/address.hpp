// SPDX-License-Identifier: BSL-1.0
/// Addresses of sockets.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace asyncio {

/// AF_UNSPEC (any), AF_INET and AF_INET6.
enum class AddressFamily : std::uint8_t { unspecified, inet, inet6 };

namespace detail {
struct SocketAddressAccess;
}

/// A numeric address and port, as a socket has it.
class SocketAddress {
 public:
  SocketAddress() noexcept = default;

  AddressFamily family() const noexcept { return family_; }
  /// "127.0.0.1", "::1", "fe80::1%eth0".
  std::string host() const;
  std::uint16_t port() const noexcept { return port_; }
  /// The interface an IPv6 link-local address belongs to, else 0.
  std::uint32_t scope_id() const noexcept { return scope_id_; }

  /// "127.0.0.1:80", "[::1]:80".
  std::string str() const;

  friend bool operator==(const SocketAddress&, const SocketAddress&) noexcept = default;

 private:
  friend struct detail::SocketAddressAccess;

  std::array<unsigned char, 16> bytes_{};  // network order; IPv4 takes the first four
  std::uint32_t scope_id_ = 0;
  std::uint16_t port_ = 0;
  AddressFamily family_ = AddressFamily::unspecified;
};

}  // namespace asyncio
