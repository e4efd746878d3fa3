// SPDX-License-Identifier: BSL-1.0
#include "asyncio/testing/simulated.hpp"

#include "asyncio/detail/backend/simulated.hpp"

#include <thread>

namespace asyncio::testing {

EventLoop new_simulated_event_loop(std::uint64_t seed) {
  EventLoop loop = asyncio::detail::make_event_loop(asyncio::detail::make_simulated_backend(seed));
  if (seed != 0) loop.impl().shuffle_tasks(seed);
  return loop;
}

void block_for(Delay amount) {
  if (!amount.positive() || asyncio::detail::advance_simulated_clock(amount)) return;
  std::this_thread::sleep_for(amount.duration());
}

}  // namespace asyncio::testing
