// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/core/seeded_random.hpp"

namespace asyncio::detail {

/// Changes the order among the wake-ups of tasks in `batch`; every other node keeps its place.
void shuffle_wake_ups(ReadyList& batch, SeededRandom& random);

}  // namespace asyncio::detail
