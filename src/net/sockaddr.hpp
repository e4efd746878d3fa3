// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/address.hpp"

#include <cstdint>
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
  static SocketAddress from_raw(const sockaddr* address);
  static RawAddress to_raw(const SocketAddress& address) noexcept;
};

/// AF_UNSPEC, AF_INET or AF_INET6.
int system_family(AddressFamily family) noexcept;

}  // namespace asyncio::detail
