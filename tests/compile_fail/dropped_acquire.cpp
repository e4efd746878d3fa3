// SPDX-License-Identifier: BSL-1.0
// An acquire that is not awaited does nothing.
#include "asyncio/sync.hpp"

void take(asyncio::Lock& lock) { lock.acquire(); }
