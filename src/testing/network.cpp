// SPDX-License-Identifier: BSL-1.0
#include "asyncio/testing/network.hpp"

#include "asyncio/detail/backend/simulated.hpp"
#include "asyncio/detail/core/loop.hpp"

#include <arpa/inet.h>
#include <array>
#include <string>
#include <utility>

namespace asyncio::testing {

namespace {

/// As the system writes it.
std::string ip_address(std::string_view host) {
  std::string text(host);
  std::array<char, INET6_ADDRSTRLEN> number{};
  for (int family : {AF_INET, AF_INET6})
    if (::inet_pton(family, text.c_str(), number.data()) == 1) {
      std::array<char, INET6_ADDRSTRLEN> normal{};
      return ::inet_ntop(family, number.data(), normal.data(), normal.size());
    }
  throw ValueError("a host of a simulated network is an IP address, not '" + text + "'");
}

}  // namespace

Network::Network()
    : loop_(get_running_loop()), conditions_(asyncio::detail::simulated_conditions(loop_.impl())) {
  if (!conditions_) throw RuntimeError("the running loop has no simulated network");
}

Network& Network::latency(Delay least, Delay most) {
  if (least.duration().count() < 0 || most.duration() < least.duration())
    throw ValueError("a latency goes from a least to a most, neither negative");
  conditions_->set_latency(least.duration(), most.duration());
  return *this;
}

Network& Network::slices(bool on) {
  conditions_->set_slices(on);
  return *this;
}

Network& Network::resets(unsigned one_in) {
  conditions_->set_resets(one_in);
  return *this;
}

Network& Network::losses(unsigned one_in) {
  conditions_->set_losses(one_in);
  return *this;
}

void Network::partition(std::string_view host, std::string_view other) {
  conditions_->cut(ip_address(host), ip_address(other));
}

void Network::isolate(std::string_view host) { conditions_->cut(ip_address(host), {}); }
void Network::black_hole(std::string_view host) {
  conditions_->cut(ip_address(host), asyncio::detail::SimulatedConditions::kAnybody);
}

void Network::host(std::string_view name, const std::vector<std::string>& addresses) {
  std::vector<std::string> checked;
  for (const std::string& address : addresses) checked.push_back(ip_address(address));
  conditions_->set_host(std::string(name), std::move(checked));
}

std::size_t Network::sockets() const noexcept { return conditions_->count_sockets(); }

void Network::heal() { conditions_->heal(); }
std::size_t Network::reset(std::string_view host) {
  return conditions_->reset_connections(ip_address(host));
}

}  // namespace asyncio::testing
