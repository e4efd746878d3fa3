// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/address.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace asyncio::detail {

/// A SocketAddress as the system calls want it.
struct RawAddress {
  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage{};
  std::uint32_t size = sizeof storage;
};

struct SocketAddressAccess {
  /// `size` as the system calls give it: a Unix path ends there, not at a zero byte.
  static SocketAddress from_raw(const sockaddr* address, std::uint32_t size);
  static SocketAddress from_raw(const RawAddress& raw) { return from_raw(raw.get(), raw.size); }
  static RawAddress to_raw(const SocketAddress& address) noexcept;
};

/// nullopt unless `host` is a numeric address; throws GaiError for one of an unknown interface.
std::optional<SocketAddress> numeric_address(const std::string& host, std::uint16_t port);

/// AF_UNSPEC, AF_INET, AF_INET6 or AF_UNIX.
int system_family(AddressFamily family) noexcept;

}  // namespace asyncio::detail
