// SPDX-License-Identifier: BSL-1.0
// compilers.md, G1: g++ 12 destroys the captures of a temporary lambda twice.
#include "asyncio/sync.hpp"

#include <memory>

asyncio::Coro<> wait(asyncio::Condition& condition, std::shared_ptr<bool> ready) {
  co_await condition.wait_for([ready] { return *ready; });
}
