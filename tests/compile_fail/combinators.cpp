// SPDX-License-Identifier: BSL-1.0
// What the functions that take awaitables say of something else.
#include "asyncio/asyncio.hpp"

using namespace asyncio;
using namespace std::chrono_literals;

Coro<int> job();

// refused: co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function such as
Coro<> gather_number() { co_await gather(job(), 1); }
// refused: this is a function, not its coroutine: call it, co_await f(...)
Coro<> gather_function() { co_await gather(job); }
// refused: co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function such as
Coro<> gather_range(std::vector<int> v) { co_await gather(v); }
// refused: co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function such as
Coro<> wait_for_text() { co_await wait_for("x", 1s); }
// refused: co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function such as
Coro<> shield_number() { co_await shield(1L); }
// refused: co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function such as
Coro<> capture_number() { co_await capture(1U); }
// refused: co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function such as
void future_of_number() { ensure_future('1'); }

// A2.12: wait() would have to make tasks of coroutines, which its result could not name.
// refused: wait() takes tasks or futures: give each coroutine to create_task first
Coro<> wait_coroutine() { co_await wait(job(), job()); }
// refused: wait() takes tasks or futures: give each coroutine to create_task first
Coro<> wait_range(std::vector<Coro<>> v) { co_await wait(v); }
// refused: wait() takes tasks or futures: give each coroutine to create_task first
Coro<> wait_numbers(std::vector<int> v) { co_await wait(v); }
// refused: wait() takes tasks or futures, then FIRST_COMPLETED or another condition, then a limit
Coro<> wait_first(Task<> t) { co_await wait(t, "first"); }
