// SPDX-License-Identifier: BSL-1.0
// Who resolves the names of a loop; loop.getaddrinfo and loop.getnameinfo.
#include "asyncio/coro.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/net/resolver.hpp"
#include "asyncio/dns.hpp"
#include "asyncio/eventloop.hpp"
#include "net_state.hpp"

#include <memory>
#include <netdb.h>
#include <utility>

namespace asyncio {

namespace detail {

/// The resolver that somebody has set. It is let go of with the loop, to which it may hold a
/// handle.
class ResolverChoice final : public Resource {
 public:
  explicit ResolverChoice(Backend& backend) noexcept { backend.add_resource(*this); }
  void loop_closing() noexcept override { resolver.reset(); }

  std::shared_ptr<Resolver> resolver;
};

namespace {

using Addresses = std::vector<SocketAddress>;
using Names = std::pair<std::string, std::string>;

std::shared_ptr<Resolver> resolver_of(Backend& backend) {
  auto& choice = net_state(backend).resolver_choice;
  return choice ? choice->resolver : nullptr;
}

Coro<Addresses> ask_system(Backend& backend, ResolveRequest request) {
  Resolve resolving(backend, std::move(request));
  Addresses addresses = co_await std::move(resolving);
  co_return addresses;
}

/// Keeps the resolver, which may be replaced meanwhile.
Coro<Addresses> ask(std::shared_ptr<Resolver> resolver, ResolveRequest request) {
  Addresses addresses = resolve_without_names(request);
  if (!addresses.empty()) co_return addresses;
  addresses =
      co_await resolver->getaddrinfo(request.host, request.port, request.family, request.flags);
  if (addresses.empty()) throw GaiError(EAI_NONAME, request.host);
  std::erase_if(addresses, [&](const SocketAddress& found) { return !request.accepts(found); });
  if (addresses.empty()) throw GaiError(EAI_ADDRFAMILY, request.host);
  co_return addresses;
}

/// Whether the answer is the address itself.
bool numbers_alone(int flags) noexcept {
  constexpr int kNumeric = NI_NUMERICHOST | NI_NUMERICSERV;
  return (flags & kNumeric) == kNumeric;
}

Coro<Names> ask_system_for_names(Backend& backend, SocketAddress address, int flags) {
  if (numbers_alone(flags)) co_return Names(address.host(), std::to_string(address.port()));
  ResolveRequest request(address.host(), address.port());
  request.names = std::make_shared<HostAndService>();
  request.address = std::move(address);
  request.flags = flags;
  auto names = request.names;
  Resolve resolving(backend, std::move(request));
  co_await std::move(resolving);
  co_return Names(names->host, names->service);
}

Coro<Names> ask_for_names(std::shared_ptr<Resolver> resolver, SocketAddress address, int flags) {
  Names names = co_await resolver->getnameinfo(std::move(address), flags);
  co_return names;
}

}  // namespace

Coro<Addresses> resolve(Backend& backend, ResolveRequest request) {
  if (auto resolver = resolver_of(backend)) return ask(std::move(resolver), std::move(request));
  return ask_system(backend, std::move(request));
}

}  // namespace detail

Coro<std::vector<SocketAddress>> Resolver::getaddrinfo(std::string host, std::uint16_t port,
                                                       AddressFamily family, int flags) {
  detail::ResolveRequest request(std::move(host), port);
  request.family = family;
  request.flags = flags;
  return detail::ask_system(detail::backend_of(detail::running_loop()), std::move(request));
}

Coro<std::pair<std::string, std::string>> Resolver::getnameinfo(SocketAddress address, int flags) {
  return detail::ask_system_for_names(detail::backend_of(detail::running_loop()),
                                      std::move(address), flags);
}

void EventLoop::set_resolver(std::shared_ptr<Resolver> resolver) {
  loop_->check_schedulable();
  detail::Backend& backend = detail::backend_of(*loop_);
  auto& choice = detail::net_state(backend).resolver_choice;
  if (!choice) choice = std::make_shared<detail::ResolverChoice>(backend);
  choice->resolver = std::move(resolver);
}

std::shared_ptr<Resolver> EventLoop::get_resolver() const {
  return detail::resolver_of(detail::backend_of(*loop_));
}

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
  detail::Backend& backend = detail::backend_of(*loop_);
  auto resolver = detail::resolver_of(backend);
  if (resolver && !detail::numbers_alone(flags))
    return detail::ask_for_names(std::move(resolver), std::move(address), flags);
  return detail::ask_system_for_names(backend, std::move(address), flags);
}

}  // namespace asyncio
