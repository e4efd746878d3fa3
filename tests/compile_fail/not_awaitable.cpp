// SPDX-License-Identifier: BSL-1.0
// What is not awaitable, and what was meant.
#include "asyncio/asyncio.hpp"

using namespace asyncio;
using namespace std::chrono_literals;

int plain();
Coro<> job();
Coro<> job_of(int);

// refused: co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function such as
Coro<> number() { co_await plain(); }
// refused: co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function such as
Coro<> text() { co_await std::string(); }
// refused: co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function such as
Coro<> duration() { co_await 1s; }
// refused: this is a function, not its coroutine: call it, co_await f(...)
Coro<> function() { co_await job; }
// refused: this is a function, not its coroutine: call it, co_await f(...)
Coro<> with_arguments() { co_await job_of; }
// refused: this is a function, not its coroutine: call it, co_await f(...)
Coro<> lambda() {
  co_await [] { return job(); };
}
// refused: a context manager is not awaited itself: co_await with(x, body)
Coro<> deadline() { co_await timeout(1s); }
// refused: a context manager is not awaited itself: co_await with(x, body)
Coro<> lock_itself(Lock& lock) { co_await lock; }
// refused: what gives items is not awaited itself: co_await x.next()
Coro<> generator(AsyncGenerator<int>& items) { co_await items; }
// refused: what gives items is not awaited itself: co_await x.next()
Coro<> queue_itself(Queue<int>& queue) { co_await queue; }
// refused: a range is not awaited itself: co_await gather(range)
Coro<> tasks(std::vector<Task<>>& range) { co_await range; }

// One mistake is one message: what follows from it is not reported.
Coro<int> value() {
  // refused: co_await needs an awaitable: a Coro, Task, Future, or what an asyncio function such as
  int result = co_await 7L;
  co_return result + 1;
}
