// SPDX-License-Identifier: BSL-1.0
#include "asyncio/testing/simulated.hpp"

#include "asyncio/detail/backend/simulated.hpp"

#include <thread>

namespace asyncio::testing {

EventLoop new_simulated_event_loop(std::uint64_t seed) {
  return asyncio::detail::make_event_loop(asyncio::detail::make_simulated_backend(seed));
}

void block_for(Delay amount) {
  if (!amount.positive() || asyncio::detail::advance_simulated_clock(amount)) return;
  std::this_thread::sleep_for(amount.duration());
}

}  // namespace asyncio::testing
