// SPDX-License-Identifier: BSL-1.0
#include "asyncio/testing/faults.hpp"

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/backend/simulated.hpp"
#include "asyncio/detail/backend/uring.hpp"

#include <algorithm>
#include <utility>

namespace asyncio::testing {

Faults& Faults::fail(SystemCall call, std::uint64_t first, int error, std::uint64_t times) {
  asyncio::detail::Fault fault;
  fault.error = error;
  rules_.push_back({call, first, times, fault});
  return *this;
}

Faults& Faults::shorten(SystemCall call, std::uint64_t first, std::size_t bytes,
                        std::uint64_t times) {
  asyncio::detail::Fault fault;
  fault.most = bytes;
  rules_.push_back({call, first, times, fault});
  return *this;
}

Faults& Faults::end_early(SystemCall call, std::uint64_t first, std::uint64_t times) {
  asyncio::detail::Fault fault;
  fault.once = true;
  rules_.push_back({call, first, times, fault});
  return *this;
}

Faults& Faults::delay(SystemCall call, std::uint64_t first, unsigned polls, std::uint64_t times) {
  delays_.push_back({{call, first, times, {}}, polls});
  return *this;
}

Faults& Faults::lack(SystemCall call) {
  unknown_.push_back(call);
  return *this;
}

Faults& Faults::disorder(std::uint64_t seed) {
  disorder_ = seed;
  return *this;
}

void Faults::relent() noexcept {
  rules_.clear();
  delays_.clear();
  disorder_ = 0;
}

/// xorshift64: of 0, which stands for order, it makes 0.
std::uint64_t Faults::random() noexcept {
  disorder_ ^= disorder_ << 13;
  disorder_ ^= disorder_ >> 7;
  disorder_ ^= disorder_ << 17;
  return disorder_;
}

bool Faults::knows(SystemCall call) const noexcept {
  return std::find(unknown_.begin(), unknown_.end(), call) == unknown_.end();
}

/// Each completion is held back with a probability of one half; the others change places.
void Faults::arrange(std::vector<asyncio::detail::RingCompletion>& completions) noexcept {
  held_.insert(held_.end(), completions.begin(), completions.end());
  completions.clear();
  if (disorder_ == 0) return held_.swap(completions);
  for (std::size_t left = held_.size(); left > 0; --left) {
    std::uint64_t number = random();
    std::swap(held_[number % left], held_[left - 1]);
    if (number >> 32 & 1) continue;
    completions.push_back(held_[left - 1]);
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(left) - 1);
  }
}

asyncio::detail::Fault Faults::before(SystemCall call) noexcept {
  std::uint64_t number = ++calls_[static_cast<std::size_t>(call)];
  for (const Rule& rule : rules_) {
    if (!rule.concerns(call, number)) continue;
    ++injected_;
    return rule.fault;
  }
  return {};
}

asyncio::detail::Lateness Faults::lateness(SystemCall call) noexcept {
  std::uint64_t number = ++waits_[static_cast<std::size_t>(call)];
  for (const DelayRule& rule : delays_) {
    if (!rule.concerns(call, number)) continue;
    ++injected_;
    return {rule.polls};
  }
  constexpr unsigned kMostPolls = 4;
  if (disorder_ == 0) return {};
  std::uint64_t chosen = random();
  return {static_cast<unsigned>(chosen % kMostPolls), (chosen >> 32 & 1) != 0};
}

EventLoop Faults::new_simulated_event_loop(std::uint64_t seed) {
  EventLoop loop =
      asyncio::detail::make_event_loop(asyncio::detail::make_simulated_backend(seed, this));
  if (seed != 0) loop.impl().shuffle_tasks(seed);
  return loop;
}

EventLoop Faults::new_epoll_event_loop() {
  return asyncio::detail::make_event_loop(asyncio::detail::make_epoll_backend(this));
}

EventLoop Faults::new_uring_event_loop(unsigned requests, unsigned completions) {
  asyncio::detail::UringOptions options;
  options.requests = requests;
  options.completions = completions;
  options.faults = this;
  return asyncio::detail::make_uring_or_epoll_event_loop(options);
}

}  // namespace asyncio::testing
