// SPDX-License-Identifier: BSL-1.0
// Fault 204: a coroutine is awaited once, so whoever awaits it takes it.
#include "asyncio/asyncio.hpp"

#include <ranges>
#include <span>

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
// refused: a coroutine can be awaited once: write gather(std::move(range))
Coro<> shown(std::vector<Coro<>> coros) { co_await gather(coros | std::views::take(2)); }
// refused: a coroutine can be awaited once: write as_completed(std::move(range))
void shown_ordered(std::span<Coro<>> coros) { (void)as_completed(coros); }
// refused: a coroutine becomes a task once: write create_task(std::move(coro))
void joins(TaskGroup& group, Coro<short> coro) { group.create_task(coro); }
// refused: a coroutine becomes a task once: write create_task(std::move(coro))
void on_loop(EventLoop loop, Coro<float> coro) { loop.create_task(coro); }
// refused: a coroutine can be awaited once
void ensured(Coro<double> coro) { (void)ensure_future(coro); }
// refused: a coroutine is awaited once, or made a task: std::move it
Coro<> captured(Coro<> coro) { co_await capture(coro); }

// What stands for a coroutine of CPython's.
// refused: this can be awaited once: await it where it is made, or write co_await std::move(x)
Coro<> twice(Queue<int>& queue) {
  auto put = queue.put(1);
  co_await put;
}
// refused: this can be awaited once: await it where it is made, or write co_await std::move(x)
Coro<> gathered_sleep() {
  auto pause = sleep(1s, 5);
  co_await gather(pause);
}
// refused: this can be awaited once: await it where it is made, or write co_await std::move(x)
Coro<> tried() {
  auto attempt = try_([] {});
  co_await attempt;
}
// refused: a coroutine becomes a task once: write create_task(std::move(coro))
void task_of_acquire(Lock& lock) {
  auto acquire = lock.acquire();
  create_task(acquire);
}

// refused: a coroutine is awaited once, or made a task: std::move it
void runs(Coro<> coro) { run(coro); }
// refused: a coroutine is awaited once, or made a task: std::move it
Coro<> copied(Coro<>& coro) { return coro; }
