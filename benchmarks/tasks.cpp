// SPDX-License-Identifier: BSL-1.0
// What does it cost to await a coroutine, and to make and await tasks: one, many, gathered?
#include "in_loop.hpp"
#include <asyncio/gather.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/task.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace {

using namespace asyncio;
using bench::Count;

Coro<std::uint64_t> echo(std::uint64_t value) { co_return value; }
Coro<> yield_once() { co_await sleep(std::chrono::seconds(0)); }

Coro<> await_coroutine(Count& count) {
  std::uint64_t sum = 0;
  while (count.more()) sum += co_await echo(sum);
  bench::keep(sum);
}

Coro<> await_task(Count& count) {
  std::uint64_t sum = 0;
  while (count.more()) sum += co_await create_task(echo(sum));
  bench::keep(sum);
}

/// The function and its argument live in the task.
Coro<> await_bound_task(Count& count) {
  std::uint64_t sum = 0;
  while (count.more()) sum += co_await create_task(echo, sum);
  bench::keep(sum);
}

Coro<> create_then_await(Count& count) {
  std::vector<Task<std::uint64_t>> tasks;
  while (std::int64_t size = count.batch(1000)) {
    for (std::int64_t i = 0; i < size; ++i)
      tasks.push_back(create_task(echo(static_cast<std::uint64_t>(i))));
    std::uint64_t sum = 0;
    for (auto& task : tasks) sum += co_await task;
    bench::keep(sum);
    tasks.clear();
  }
}

template <std::int64_t Size>
Coro<> gather_yielding(Count& count) {
  while (std::int64_t size = count.batch(Size)) {
    std::vector<Coro<>> children;
    children.reserve(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) children.push_back(yield_once());
    co_await gather(std::move(children));
  }
}

using bench::add;
using bench::in_loop;
using bench::Operation;

const bool added[] = {
    add(Operation("await_coroutine", "asyncio", in_loop<await_coroutine>)),
    add(Operation("await_task", "asyncio", in_loop<await_task>)),
    add(Operation("await_bound_task", "asyncio", in_loop<await_bound_task>)),
    add(Operation("create_1000_await_all", "asyncio", in_loop<create_then_await>)),
    add(Operation("gather_1000", "asyncio", in_loop<gather_yielding<1000>>)),
    add(Operation("gather_100000", "asyncio", in_loop<gather_yielding<100'000>>).batches(100'000)),
};

}  // namespace
