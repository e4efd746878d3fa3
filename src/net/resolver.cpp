// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/net/resolver.hpp"

#include "asyncio/detail/backend/simulated.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/dns.hpp"
#include "asyncio/exceptions.hpp"
#include "resolver_threads.hpp"
#include "sockaddr.hpp"

#include <netdb.h>
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

std::vector<SocketAddress> addresses_of_nothing(const ResolveRequest& request) {
  bool any = (request.flags & AI_PASSIVE) != 0;
  std::vector<SocketAddress> addresses;
  if (request.family != AddressFamily::inet6)
    addresses.push_back(SocketAddress::numeric(any ? "0.0.0.0" : "127.0.0.1", request.port));
  if (request.family != AddressFamily::inet)
    addresses.push_back(SocketAddress::numeric(any ? "::" : "::1", request.port));
  return addresses;
}

/// As the host table of a simulated network has it; empty for a name that is not there.
std::vector<SocketAddress> simulated_addresses(const ResolveRequest& request, Loop& loop) {
  SimulatedConditions* network = simulated_conditions(loop);
  const auto* known = network ? network->addresses_of(request.host) : nullptr;
  if (!known) return {};
  if (known->empty()) throw GaiError(EAI_NONAME, request.host);
  std::vector<SocketAddress> addresses;
  for (const std::string& number : *known) {
    auto address = numeric_address(number, request.port);
    if (address && request.accepts(*address)) addresses.push_back(*address);
  }
  if (addresses.empty()) throw GaiError(EAI_ADDRFAMILY, request.host);
  return addresses;
}

}  // namespace

std::vector<SocketAddress> resolve_without_names(const ResolveRequest& request) {
  if (request.host.empty()) return addresses_of_nothing(request);
  check_host_name(request.host);
  auto address = numeric_address(request.host, request.port);
  if (!address) return {};
  if (!request.accepts(*address)) throw GaiError(EAI_ADDRFAMILY, request.host);
  return {*address};
}

Resolve::Resolve(Backend& backend, ResolveRequest request)
    : backend_(backend), request_(std::move(request)) {}

Resolve::~Resolve() {
  if (job_) ResolverThreads::abandon(backend_, job_);
}

bool Resolve::await_ready() {
  if (request_.names || request_.kinds) return false;
  addresses_ = resolve_without_names(request_);
  if (addresses_.empty()) addresses_ = simulated_addresses(request_, backend_.loop());
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
