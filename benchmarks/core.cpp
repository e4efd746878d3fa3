// SPDX-License-Identifier: BSL-1.0
// What does the core cost: awaiting a coroutine, a task from creation to result, a turn of the
// loop?
#include <asyncio/runner.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/task.hpp>

#include <benchmark/benchmark.h>

#include <chrono>

namespace {

using namespace asyncio;

/// Runs a coroutine that holds the benchmark's loop, inside an event loop.
template <Coro<> (*body)(benchmark::State&)>
void in_loop(benchmark::State& state) {
  run(body(state));
}

Coro<int> one() { co_return 1; }

Coro<> await_coroutine(benchmark::State& state) {
  for (auto _ : state) {
    int value = co_await one();
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(in_loop<await_coroutine>)->Name("await a coroutine");

Coro<> await_task(benchmark::State& state) {
  for (auto _ : state) {
    int value = co_await create_task(one());
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(in_loop<await_task>)->Name("create and await a task");

Coro<> sleep_zero(benchmark::State& state) {
  for (auto _ : state) co_await sleep(std::chrono::seconds(0));
}
BENCHMARK(in_loop<sleep_zero>)->Name("sleep(0)");

}  // namespace
