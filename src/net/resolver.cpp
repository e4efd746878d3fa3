// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/net/resolver.hpp"

#include "asyncio/detail/backend/simulated.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/dns.hpp"
#include "asyncio/exceptions.hpp"
#include "resolver_threads.hpp"
#include "sockaddr.hpp"

#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <optional>
#include <string_view>

namespace asyncio {

namespace {

class GaiCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "getaddrinfo"; }
  std::string message(int code) const override { return ::gai_strerror(code); }
};

const std::error_category& gai_category() noexcept {
  static const GaiCategory instance;
  return instance;
}

}  // namespace

GaiError::GaiError(int eai_code, const std::string& host)
    : OSError(std::error_code(eai_code, gai_category()), "getaddrinfo '" + host + "'"),
      host_(host) {}

namespace detail {

namespace {

/// What getaddrinfo would cut off or misread is refused here.
void check_host_name(std::string_view host) {
  constexpr std::size_t kLongestName = 253;
  constexpr std::size_t kLongestLabel = 63;
  if (host.find('\0') != std::string_view::npos)
    throw ValueError("a host name may not hold a null character");
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > kLongestName)
    throw ValueError("host name too long: " + std::to_string(host.size()) + " bytes");
  while (!host.empty()) {
    std::size_t dot = host.find('.');
    std::size_t label = dot == std::string_view::npos ? host.size() : dot;
    if (label == 0 || label > kLongestLabel)
      throw ValueError("host name label empty or too long: " + std::to_string(label) + " bytes");
    host.remove_prefix(dot == std::string_view::npos ? host.size() : dot + 1);
  }
}

std::optional<SocketAddress> numeric_inet(const char* host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host, &address.sin_addr) != 1) return std::nullopt;
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

std::vector<SocketAddress> addresses_of_nothing(const ResolveRequest& request) {
  std::vector<SocketAddress> addresses;
  if (request.family != AddressFamily::inet6)
    addresses.push_back(*numeric_inet(request.passive ? "0.0.0.0" : "127.0.0.1", request.port));
  if (request.family != AddressFamily::inet)
    addresses.push_back(*numeric_inet6(request.passive ? "::" : "::1", request.port));
  return addresses;
}

bool fits(const ResolveRequest& request, const SocketAddress& address) noexcept {
  return request.family == AddressFamily::unspecified || request.family == address.family();
}

std::optional<SocketAddress> numeric(const std::string& host, std::uint16_t port) {
  auto address = numeric_inet(host.c_str(), port);
  return address ? address : numeric_inet6(host, port);
}

/// As the host table of a simulated network has it; empty for a name that is not there.
std::vector<SocketAddress> simulated_addresses(const ResolveRequest& request, Loop& loop) {
  SimulatedConditions* network = simulated_conditions(loop);
  const auto* known = network ? network->addresses_of(request.host) : nullptr;
  if (!known) return {};
  if (known->empty()) throw GaiError(EAI_NONAME, request.host);
  std::vector<SocketAddress> addresses;
  for (const std::string& number : *known) {
    auto address = numeric(number, request.port);
    if (address && fits(request, *address)) addresses.push_back(*address);
  }
  if (addresses.empty()) throw GaiError(EAI_ADDRFAMILY, request.host);
  return addresses;
}

/// The answer, if it takes no look-up.
std::vector<SocketAddress> resolve_at_once(const ResolveRequest& request, Loop& loop) {
  if (request.names) return {};
  if (request.host.empty()) return addresses_of_nothing(request);
  check_host_name(request.host);
  auto address = numeric(request.host, request.port);
  if (!address) return simulated_addresses(request, loop);
  if (!fits(request, *address)) throw GaiError(EAI_ADDRFAMILY, request.host);
  return {*address};
}

}  // namespace

Resolve::Resolve(Backend& backend, ResolveRequest request)
    : backend_(backend), request_(std::move(request)) {}

Resolve::~Resolve() {
  if (job_) ResolverThreads::abandon(backend_, job_);
}

bool Resolve::await_ready() {
  addresses_ = resolve_at_once(request_, backend_.loop());
  return !addresses_.empty();
}

void Resolve::await_suspend(PromiseBase& promise) {
  job_ = ResolverThreads::submit(backend_, request_, *this);
  state_ = State::pending;
  suspend_task(promise);
}

void Resolve::finish(std::vector<SocketAddress> addresses, std::exception_ptr error) noexcept {
  job_.reset();
  if (state_ != State::pending) return;
  state_ = State::done;
  addresses_ = std::move(addresses);
  error_ = std::move(error);
  wake();
}

bool Resolve::cancel(const std::exception_ptr& reason) {
  if (state_ != State::pending) return false;
  state_ = State::cancelled;
  ResolverThreads::abandon(backend_, std::exchange(job_, nullptr));
  wake_cancelled(reason);
  return true;
}

std::vector<SocketAddress> Resolve::await_resume() {
  bool delivered = cancel_delivered();
  if (delivered || state_ == State::cancelled) throw_cancelled();
  if (error_) std::rethrow_exception(error_);
  return std::move(addresses_);
}

}  // namespace detail

}  // namespace asyncio
