// SPDX-License-Identifier: BSL-1.0
// A coroutine of another library has no task that could wait.
#include "asyncio/asyncio.hpp"

using namespace asyncio;
using namespace std::chrono_literals;

struct Foreign {
  struct promise_type {
    Foreign get_return_object();
    std::suspend_never initial_suspend();
    std::suspend_never final_suspend() noexcept;
    void return_void();
    void unhandled_exception();
  };
};
Coro<int> job();

// refused: what asyncio gives can be awaited in its own coroutines only: in a function that returns
Foreign awaits_sleep() { co_await sleep(1s); }
// refused: what asyncio gives can be awaited in its own coroutines only: in a function that returns
Foreign awaits_coroutine() { co_await job(); }
// refused: what asyncio gives can be awaited in its own coroutines only: in a function that returns
Foreign awaits_task(Task<int> task) { co_await task; }
// refused: what asyncio gives can be awaited in its own coroutines only: in a function that returns
Foreign awaits_lock(Lock& lock) { co_await lock.acquire(); }
// refused: what asyncio gives can be awaited in its own coroutines only: in a function that returns
Foreign awaits_item(Queue<int>& queue) {
  int item = co_await queue.get();
  (void)item;
}
// refused: what asyncio gives can be awaited in its own coroutines only: in a function that returns
Foreign awaits_capture() { co_await capture(job()); }
// refused: what asyncio gives can be awaited in its own coroutines only: in a function that returns
Foreign awaits_next(AsyncGenerator<int>& items) { co_await items.next(); }
