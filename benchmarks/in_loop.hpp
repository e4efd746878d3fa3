// SPDX-License-Identifier: BSL-1.0
// How our operations get their loop.
#pragma once

#include <asyncio/detail/backend/backend.hpp>
#include <asyncio/detail/backend/simulated.hpp>
#include <asyncio/runner.hpp>

#include "operation.hpp"

namespace bench {

/// Runs a coroutine that takes the count, inside the default event loop.
template <asyncio::Coro<> (*body)(Count&)>
void in_loop(Count& count) {
  asyncio::run(body(count));
}

/// The same on a virtual clock: a timer costs what it costs us, and no wait for the kernel.
template <asyncio::Coro<> (*body)(Count&)>
void in_simulated_loop(Count& count) {
  asyncio::RunOptions options;
  options.loop_factory(
      [] { return asyncio::detail::make_event_loop(asyncio::detail::make_simulated_backend(0)); });
  asyncio::run(body(count), options);
}

}  // namespace bench
