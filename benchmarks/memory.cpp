// SPDX-License-Identifier: BSL-1.0
// How much memory does a suspended task take, with its frame and what it waits for?
#include "memory.hpp"

#include "in_loop.hpp"
#include <asyncio/sleep.hpp>
#include <asyncio/sync.hpp>
#include <asyncio/task.hpp>

#include <chrono>
#include <cstdint>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using bench::Count;

Coro<> sleeper() { co_await sleep(1h); }

/// Frame, task and timer.
Coro<> sleeping_task(Count& count) {
  while (std::int64_t size = count.batch(1'000'000)) {
    bench::Resident resident;
    for (std::int64_t i = 0; i < size; ++i) create_task(sleeper()).state();
    co_await sleep(0s);
    resident.report(count, size);
    for (auto& task : all_tasks())
      if (task != *current_task()) task.cancel();
    co_await sleep(0s);
  }
}

Coro<> waiter(Event& event) { co_await event.wait(); }

/// All wait for one event.
Coro<> waiting_task(Count& count) {
  while (std::int64_t size = count.batch(1'000'000)) {
    Event event;
    bench::Resident resident;
    for (std::int64_t i = 0; i < size; ++i) create_task(waiter(event)).state();
    co_await sleep(0s);
    resident.report(count, size);
    event.set();
    while (all_tasks().size() > 1) co_await sleep(0s);
  }
}

using bench::add;
using bench::in_loop;
using bench::Operation;

const bool added[] = {
    add(Operation("sleeping_task", "asyncio", in_loop<sleeping_task>).batches(1'000'000).memory()),
    add(Operation("waiting_task", "asyncio", in_loop<waiting_task>).batches(1'000'000).memory()),
};

}  // namespace
