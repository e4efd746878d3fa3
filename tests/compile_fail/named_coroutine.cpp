// SPDX-License-Identifier: BSL-1.0
// Fault 204: a coroutine is awaited once, so whoever awaits it takes it.
#include "asyncio/asyncio.hpp"

using namespace asyncio;
using namespace std::chrono_literals;

// refused: a coroutine can be awaited once: write co_await std::move(coro)
Coro<> awaits(Coro<char> coro) { co_await coro; }
// refused: a coroutine can be awaited once
Coro<> gathers(Coro<int> coro) { co_await gather(coro); }
// refused: a coroutine can be awaited once
Coro<> limits(Coro<long> coro) { co_await wait_for(coro, 1s); }
// refused: a coroutine can be awaited once
Coro<> shields(Coro<bool> coro) { co_await shield(coro); }
// refused: a coroutine becomes a task once: write create_task(std::move(coro))
void becomes_task(Coro<> coro) { create_task(coro); }
// refused: a coroutine can be awaited once: write gather(std::move(range))
Coro<> range(std::vector<Coro<>> coros) { co_await gather(coros); }
// refused: a coroutine can be awaited once: write as_completed(std::move(range))
void ordered(std::vector<Coro<>> coros) { (void)as_completed(coros); }
// refused: a coroutine is awaited once, or made a task: std::move it
void runs(Coro<> coro) { run(coro); }
// refused: a coroutine is awaited once, or made a task: std::move it
Coro<> copied(Coro<>& coro) { return coro; }
