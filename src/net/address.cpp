// SPDX-License-Identifier: BSL-1.0
#include "asyncio/address.hpp"

#include "sockaddr.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>

namespace asyncio {

std::string SocketAddress::host() const {
  if (family_ == AddressFamily::unspecified) return {};
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(detail::system_family(family_), bytes_.data(), text, sizeof text);
  std::string host = text;
  if (scope_id_ == 0) return host;
  char interface[IF_NAMESIZE] = "";
  host += '%';
  return host += ::if_indextoname(scope_id_, interface) ? interface : std::to_string(scope_id_);
}

std::string SocketAddress::str() const {
  std::string port = ":" + std::to_string(port_);
  if (family_ == AddressFamily::inet6) return "[" + host() + "]" + port;
  return host() + port;
}

namespace detail {

int system_family(AddressFamily family) noexcept {
  switch (family) {
    case AddressFamily::inet:
      return AF_INET;
    case AddressFamily::inet6:
      return AF_INET6;
    case AddressFamily::unspecified:
      break;
  }
  return AF_UNSPEC;
}

SocketAddress SocketAddressAccess::from_raw(const sockaddr* address) {
  SocketAddress result;
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    result.family_ = AddressFamily::inet;
    result.port_ = ntohs(in.sin_port);
    std::memcpy(result.bytes_.data(), &in.sin_addr, sizeof in.sin_addr);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    result.family_ = AddressFamily::inet6;
    result.port_ = ntohs(in.sin6_port);
    result.scope_id_ = in.sin6_scope_id;
    std::memcpy(result.bytes_.data(), &in.sin6_addr, sizeof in.sin6_addr);
  }
  return result;
}

RawAddress SocketAddressAccess::to_raw(const SocketAddress& address) noexcept {
  RawAddress raw;
  if (address.family_ == AddressFamily::inet) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port_);
    std::memcpy(&in.sin_addr, address.bytes_.data(), sizeof in.sin_addr);
    std::memcpy(&raw.storage, &in, raw.size = sizeof in);
  } else if (address.family_ == AddressFamily::inet6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port_);
    in.sin6_scope_id = address.scope_id_;
    std::memcpy(&in.sin6_addr, address.bytes_.data(), sizeof in.sin6_addr);
    std::memcpy(&raw.storage, &in, raw.size = sizeof in);
  }
  return raw;
}

}  // namespace detail

}  // namespace asyncio
