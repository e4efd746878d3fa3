// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/time.hpp"

#include <cstdint>
#include <memory>

namespace asyncio::detail {

/// A backend without an operating system: a clock that begins at zero and jumps to the next
/// deadline when nothing is ready. While a thread works for the loop the clock follows real time
/// instead, since nobody can tell how long the thread will take.
class SimulatedPoller;

std::unique_ptr<Backend> make_simulated_backend(std::uint64_t seed);

/// Lets the virtual clock of the loop running in this thread pass `amount`, as blocking code
/// would. Returns false if that loop is not simulated.
bool advance_simulated_clock(Delay amount);

}  // namespace asyncio::detail
