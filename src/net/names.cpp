// SPDX-License-Identifier: BSL-1.0
// Who resolves the names of a loop; loop.getaddrinfo and loop.getnameinfo.
#include "asyncio/coro.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/net/resolver.hpp"
#include "asyncio/dns.hpp"
#include "asyncio/eventloop.hpp"
#include "net_state.hpp"

#include <charconv>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <system_error>
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
  return (flags & (kNumeric | NI_NAMEREQD)) == kNumeric;
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

/// Which sockets there are for a service, and on which port.
Coro<std::shared_ptr<SocketKinds>> kinds_of(Backend& backend, const std::string& host,
                                            const std::string& service,
                                            const AddressInfoOptions& options) {
  bool number = !service.empty() && service.find_first_not_of("0123456789") == std::string::npos;
  bool numeric = number || (options.get_flags() & AI_NUMERICSERV) != 0;
  ResolveRequest request(host, 0);
  request.kinds =
      std::make_shared<SocketKinds>(service, options.get_type(), options.get_proto(), numeric);
  auto kinds = request.kinds;
  if (numeric) {
    look_up_kinds(request);
    co_return kinds;
  }
  Resolve resolving(backend, std::move(request));
  co_await std::move(resolving);
  co_return kinds;
}

Coro<std::vector<AddressInfo>> address_infos(Backend& backend, std::string host,
                                             std::string service, AddressInfoOptions options) {
  auto kinds = co_await kinds_of(backend, host, service, options);
  ResolveRequest request(host, kinds->port);
  request.family = options.get_family();
  request.flags = options.get_flags();
  std::string canonname;
  if (request.flags & AI_CANONNAME) {
    request.canonname = std::make_shared<std::string>();
    canonname = host;
  }
  auto own_name = request.canonname;
  Addresses addresses = co_await resolve(backend, std::move(request));
  if (own_name && !own_name->empty()) canonname = *own_name;
  std::vector<AddressInfo> infos;
  for (const SocketAddress& address : addresses)
    for (auto [type, proto] : kinds->found)
      infos.push_back(
          {address.family(), type, proto, std::exchange(canonname, std::string()), address});
  co_return infos;
}

}  // namespace

Coro<std::uint16_t> look_up_port(Backend& backend, std::string host, ServicePort service) {
  // The C library takes "65536" for port 0, and "-1" for 65535.
  if (service.text().find_first_not_of("+- \t0123456789") == std::string::npos)
    throw GaiError(EAI_SERVICE, host);
  AddressInfoOptions stream;
  stream.type(SOCK_STREAM);
  std::string name = service.text();
  auto kinds = co_await kinds_of(backend, host, name, stream);
  co_return kinds->port;
}

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

std::optional<std::uint16_t> ServicePort::number() const noexcept {
  const char* end = text_.data() + text_.size();
  std::uint16_t port = 0;
  auto [rest, error] = std::from_chars(text_.data(), end, port);
  if (error != std::errc() || rest != end) return std::nullopt;
  return port;
}

std::string ServicePort::checked(std::int64_t port) {
  if (port < 0 || port > 65535) throw ValueError("getaddrinfo(): port must be 0-65535.");
  return std::to_string(port);
}

Coro<std::vector<AddressInfo>> EventLoop::getaddrinfo(std::string host, ServicePort service) {
  return getaddrinfo(std::move(host), std::move(service), AddressInfoOptions());
}

Coro<std::vector<AddressInfo>> EventLoop::getaddrinfo(std::string host, ServicePort service,
                                                      AddressInfoOptions options) {
  loop_->check_schedulable();
  return detail::address_infos(detail::backend_of(*loop_), std::move(host), service.text(),
                               options);
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
