// SPDX-License-Identifier: BSL-1.0
// How much memory does a sleeping task take, with its frame and its timer?
#include "memory.hpp"

#include "in_loop.hpp"
#include <asyncio/sleep.hpp>
#include <asyncio/task.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using bench::Count;

Coro<> sleeper() { co_await sleep(1h); }

Coro<> sleeping_task(Count& count) {
  while (std::int64_t size = count.batch(200'000)) {
    double before = bench::resident_bytes();
    for (std::int64_t i = 0; i < size; ++i) create_task(sleeper()).state();
    co_await sleep(0s);
    count.report("bytes", (bench::resident_bytes() - before) / static_cast<double>(size));
    for (auto& task : all_tasks())
      if (task != *current_task()) task.cancel();
    co_await sleep(0s);
  }
}

const bool added =
    bench::add(bench::Operation("sleeping_task_memory", "asyncio", bench::in_loop<sleeping_task>)
                   .batches(200'000)
                   .once());

}  // namespace
