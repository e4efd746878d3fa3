// SPDX-License-Identifier: BSL-1.0
#include "asyncio/testing/faults.hpp"

#include "asyncio/detail/backend/backend.hpp"

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

asyncio::detail::Fault Faults::before(SystemCall call) noexcept {
  std::uint64_t number = ++calls_[static_cast<std::size_t>(call)];
  for (const Rule& rule : rules_) {
    if (rule.call != call || number < rule.first || number - rule.first >= rule.times) continue;
    ++injected_;
    return rule.fault;
  }
  return {};
}

EventLoop Faults::new_epoll_event_loop() {
  return asyncio::detail::make_event_loop(asyncio::detail::make_epoll_backend(this));
}

}  // namespace asyncio::testing
