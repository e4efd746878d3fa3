// SPDX-License-Identifier: BSL-1.0
// A put that is not awaited does nothing.
#include "asyncio/queue.hpp"

void send(asyncio::Queue<int>& queue) { queue.put(1); }
