// SPDX-License-Identifier: BSL-1.0
// loop.getaddrinfo and loop.getnameinfo.
#include "asyncio/coro.hpp"
#include "asyncio/detail/net/resolver.hpp"
#include "asyncio/dns.hpp"
#include "asyncio/eventloop.hpp"

#include <memory>
#include <netdb.h>
#include <utility>

namespace asyncio {

namespace detail {

namespace {

Coro<std::vector<SocketAddress>> resolve(Backend& backend, ResolveRequest request) {
  Resolve resolving(backend, std::move(request));
  std::vector<SocketAddress> addresses = co_await std::move(resolving);
  co_return addresses;
}

Coro<std::pair<std::string, std::string>> resolve_names(Backend& backend, SocketAddress address,
                                                        int flags) {
  constexpr int kNumeric = NI_NUMERICHOST | NI_NUMERICSERV;
  if ((flags & kNumeric) == kNumeric)
    co_return std::pair(address.host(), std::to_string(address.port()));
  ResolveRequest request(address.host(), address.port());
  request.names = std::make_shared<HostAndService>();
  request.address = std::move(address);
  request.flags = flags;
  auto names = request.names;
  Resolve resolving(backend, std::move(request));
  co_await std::move(resolving);
  co_return std::pair(names->host, names->service);
}

}  // namespace

}  // namespace detail

Coro<std::vector<SocketAddress>> EventLoop::getaddrinfo(std::string host, std::uint16_t port) {
  return getaddrinfo(std::move(host), port, AddressFamily::unspecified);
}

Coro<std::vector<SocketAddress>> EventLoop::getaddrinfo(std::string host, std::uint16_t port,
                                                        AddressFamily family, int flags) {
  loop_->check_schedulable();
  detail::ResolveRequest request(std::move(host), port);
  request.family = family;
  request.flags = flags;
  return detail::resolve(detail::backend_of(*loop_), std::move(request));
}

Coro<std::pair<std::string, std::string>> EventLoop::getnameinfo(SocketAddress address, int flags) {
  loop_->check_schedulable();
  return detail::resolve_names(detail::backend_of(*loop_), std::move(address), flags);
}

}  // namespace asyncio
