// SPDX-License-Identifier: BSL-1.0
// How our operations get their loop.
#pragma once

#include "operation.hpp"
#include <asyncio/runner.hpp>
#include <asyncio/testing/simulated.hpp>

namespace bench {

/// Runs a coroutine that takes the count, inside the default event loop.
template <asyncio::Coro<> (*body)(Count&)>
void in_loop(Count& count) {
  asyncio::run(body(count));
}

/// The same on a virtual clock: a timer costs what it costs us, and no wait for the kernel.
template <asyncio::Coro<> (*body)(Count&)>
void in_simulated_loop(Count& count) {
  asyncio::testing::run_simulated(body(count));
}

}  // namespace bench
