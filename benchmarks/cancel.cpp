// SPDX-License-Identifier: BSL-1.0
// What does it cost to cancel a task that is suspended three frames deep?
#include "in_loop.hpp"
#include <asyncio/sleep.hpp>
#include <asyncio/task.hpp>
#include <asyncio/wait.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using bench::Count;

Coro<> innermost() { co_await sleep(1h); }
Coro<> middle() { co_await innermost(); }
Coro<> outermost() { co_await middle(); }

/// From the creation of the task to its end.
Coro<> cancel_three_frames(Count& count) {
  while (std::int64_t size = count.batch(1000)) {
    std::vector<Task<>> tasks;
    for (std::int64_t i = 0; i < size; ++i) tasks.push_back(create_task(outermost()));
    co_await sleep(0s);
    for (auto& task : tasks) task.cancel();
    co_await wait(tasks);
  }
}

const bool added =
    bench::add(bench::Operation("cancel_3_frames", "asyncio", bench::in_loop<cancel_three_frames>));

}  // namespace
