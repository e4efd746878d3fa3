// SPDX-License-Identifier: BSL-1.0
// A number without a unit, which Python takes as seconds.
#include "asyncio/asyncio.hpp"

using namespace asyncio;

Coro<> job();

// Without the refusal this would be the sleep of <unistd.h>, which stops the loop for five seconds.
// refused: a duration has a unit: 5s, 100ms
Coro<> sleeps() { co_await sleep(5); }
// refused: a duration has a unit: 5s, 100ms
Coro<> limits() { co_await wait_for(job(), 0.5); }
// refused: a duration has a unit: 5s, 100ms
void later(EventLoop loop) {
  loop.call_later(1.5F, [] {});
}
