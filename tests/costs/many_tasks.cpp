// SPDX-License-Identifier: BSL-1.0
// usage: many_tasks SCENARIO COUNT
// What tests/costs/linear counts the instructions of.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/simulated.hpp"

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coro<> sleeper(Delay delay) { co_await sleep(delay); }

std::vector<Task<>> make_sleepers(int count) {
  std::vector<Task<>> tasks;
  tasks.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    tasks.push_back(create_task(sleeper(std::chrono::microseconds(1 + i % 1000))));
  return tasks;
}

/// Fault 23: all are cancelled in one tick.
Coro<> cancel_all(int count) {
  std::vector<Task<>> tasks = make_sleepers(count);
  co_await sleep(0s);
  for (auto& task : tasks) task.cancel();
  for (auto& task : tasks) (void)co_await capture(task);
}

Coro<> wake_all(int count) {
  std::vector<Task<>> tasks = make_sleepers(count);
  for (auto& task : tasks) co_await task;
}

Coro<> gather_all(int count) {
  std::vector<Task<>> tasks = make_sleepers(count);
  co_await gather(tasks);
}

Coro<> fail() {
  co_await sleep(0s);
  throw ValueError("one of them");
}

/// L16: a task of the group fails, and all the others are cancelled.
Coro<> fail_group(int count) {
  Result<> outcome = co_await capture(with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
    for (int i = 0; i < count; ++i) group.create_task(sleeper(1h));
    group.create_task(fail());
    co_return;
  }));
  if (!outcome.holds<ExceptionGroup>()) outcome.rethrow();
}

/// All that wait for an event or a semaphore are cancelled, then it wakes whom it finds.
Coro<> cancel_waiters(int count) {
  Event event;
  Semaphore semaphore(0);
  auto wait_for_both = [&]() -> Coro<> {
    co_await event.wait();
    co_await semaphore.acquire();
  };
  std::vector<Task<>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(create_task(wait_for_both));
  co_await sleep(0s);
  for (int i = 0; i < count; i += 2) tasks[static_cast<std::size_t>(i)].cancel();
  event.set();
  co_await sleep(0s);
  for (auto& task : tasks) task.cancel();
  for (int i = 0; i < count; ++i) semaphore.release();
  for (auto& task : tasks) (void)co_await capture(task);
}

Coro<> run_scenario(std::string_view name, int count) {
  if (name == "cancel_all") return cancel_all(count);
  if (name == "cancel_waiters") return cancel_waiters(count);
  if (name == "wake_all") return wake_all(count);
  if (name == "gather_all") return gather_all(count);
  if (name == "fail_group") return fail_group(count);
  throw ValueError("many_tasks: no scenario '" + std::string(name) + "'");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: many_tasks SCENARIO COUNT\n";
    return 2;
  }
  asyncio::testing::run_simulated(run_scenario(argv[1], std::atoi(argv[2])));
}
