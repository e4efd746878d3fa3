// SPDX-License-Identifier: BSL-1.0
#include "simulated_wire.hpp"

#include <algorithm>

namespace asyncio::detail {

void SimulatedWire::set_latency(std::chrono::nanoseconds least,
                                std::chrono::nanoseconds most) noexcept {
  least_ = least;
  most_ = most;
}

std::chrono::nanoseconds SimulatedWire::delay() noexcept {
  if (least_ == most_) return most_;
  auto span = static_cast<std::size_t>((most_ - least_).count()) + 1;
  return least_ + std::chrono::nanoseconds(random_.below(span));
}

std::size_t SimulatedWire::slice(std::size_t size) noexcept {
  return slices_ && size > 1 ? 1 + random_.below(size) : size;
}

void SimulatedWire::cut(const std::string& host, const std::string& other) {
  cuts_.emplace_back(host, other);
}

void SimulatedWire::set_host(const std::string& name, std::vector<std::string> addresses) {
  hosts_.insert_or_assign(name, std::move(addresses));
}

const std::vector<std::string>* SimulatedWire::addresses_of(
    const std::string& name) const noexcept {
  auto found = hosts_.find(name);
  return found == hosts_.end() ? nullptr : &found->second;
}

bool SimulatedWire::is_cut(const std::string& host, const std::string& other) const noexcept {
  return std::any_of(cuts_.begin(), cuts_.end(), [&](const auto& cut) {
    if (cut.second == kAnybody) return cut.first == host || cut.first == other;
    if (cut.second.empty()) return (cut.first == host || cut.first == other) && host != other;
    return (cut.first == host && cut.second == other) || (cut.first == other && cut.second == host);
  });
}

}  // namespace asyncio::detail
