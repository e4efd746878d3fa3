// SPDX-License-Identifier: BSL-1.0
#include "asyncio/address.hpp"

#include "asyncio/dns.hpp"
#include "asyncio/exceptions.hpp"
#include "sockaddr.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace asyncio {

SocketAddress SocketAddress::numeric(const std::string& host, std::uint16_t port) {
  auto address = detail::numeric_address(host, port);
  if (!address) throw ValueError("'" + host + "' is not an IPv4 or IPv6 address");
  return *address;
}

SocketAddress SocketAddress::local(std::string path) {
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.empty()) throw ValueError("the path of a Unix socket is empty");
  if (path.find('\0', 1) != std::string::npos)
    throw ValueError("the path of a Unix socket has a zero byte inside");
  if (path.size() > kLongest)
    throw OSError(ENAMETOOLONG, "Unix socket " + path + " (" + std::to_string(path.size()) +
                                    " bytes, at most " + std::to_string(kLongest) + ")");
  SocketAddress address;
  address.family_ = AddressFamily::local;
  address.path_ = std::move(path);
  return address;
}

std::string SocketAddress::host() const {
  if (family_ != AddressFamily::inet && family_ != AddressFamily::inet6) return {};
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(detail::system_family(family_), bytes_.data(), text, sizeof text);
  std::string host = text;
  if (scope_id_ == 0) return host;
  char interface[IF_NAMESIZE] = "";
  host += '%';
  return host += ::if_indextoname(scope_id_, interface) ? interface : std::to_string(scope_id_);
}

std::string SocketAddress::str() const {
  if (family_ == AddressFamily::local) {
    if (path_.empty()) return "a Unix socket without a name";
    return path_[0] == '\0' ? "@" + path_.substr(1) : path_;
  }
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
    case AddressFamily::local:
      return AF_UNIX;
    case AddressFamily::unspecified:
      break;
  }
  return AF_UNSPEC;
}

namespace {

/// A pathname ends at its zero byte, if the kernel gives one; an abstract name at the size.
std::string path_of(const sockaddr* address, std::uint32_t size) {
  sockaddr_un local{};
  constexpr std::size_t kHeader = offsetof(sockaddr_un, sun_path);
  std::memcpy(&local, address, std::min<std::size_t>(size, sizeof local));
  if (size <= kHeader) return {};
  std::string path(local.sun_path, std::min(size - kHeader, sizeof local.sun_path));
  if (path[0] != '\0') path.resize(std::min(path.find('\0'), path.size()));
  return path;
}

std::optional<SocketAddress> numeric_inet(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return std::nullopt;
  return SocketAddressAccess::from_raw(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

/// "fe80::1%eth0", "fe80::1%2".
std::optional<SocketAddress> numeric_inet6(std::string host, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  std::string scope;
  std::size_t percent = host.find('%');
  if (percent != std::string::npos) {
    scope = host.substr(percent + 1);
    host.resize(percent);
  }
  if (::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1) return std::nullopt;
  if (!scope.empty()) {
    address.sin6_scope_id = ::if_nametoindex(scope.c_str());
    char* end = nullptr;
    if (address.sin6_scope_id == 0)
      address.sin6_scope_id = static_cast<std::uint32_t>(std::strtoul(scope.c_str(), &end, 10));
    if (address.sin6_scope_id == 0 || (end && *end != '\0'))
      throw GaiError(EAI_NONAME, host + "%" + scope);
  }
  return SocketAddressAccess::from_raw(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

std::optional<SocketAddress> numeric_address(const std::string& host, std::uint16_t port) {
  if (host.find('\0') != std::string::npos) return std::nullopt;
  auto address = numeric_inet(host, port);
  return address ? address : numeric_inet6(host, port);
}

SocketAddress SocketAddressAccess::from_raw(const sockaddr* address, std::uint32_t size) {
  SocketAddress result;
  if (size < sizeof address->sa_family) return result;
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
  } else if (address->sa_family == AF_UNIX) {
    result.family_ = AddressFamily::local;
    result.path_ = path_of(address, size);
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
  } else if (address.family_ == AddressFamily::local) {
    const std::string& path = address.path_;
    bool abstract = !path.empty() && path[0] == '\0';
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, path.data(), path.size());  // not too long, see local()
    // A peer's path may fill its room, without a zero byte at the end.
    raw.size = static_cast<std::uint32_t>(
        std::min(sizeof local, offsetof(sockaddr_un, sun_path) + path.size() + !abstract));
    std::memcpy(&raw.storage, &local, raw.size);
  }
  return raw;
}

}  // namespace detail

}  // namespace asyncio
