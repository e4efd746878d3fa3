// SPDX-License-Identifier: BSL-1.0
// Seed 1 best practices 2-4: gather of ten tasks, wait FIRST_COMPLETED, return_exceptions.
#include "python.hpp"

using namespace py;

Coro<int> risky_operation(int i) {
  co_await asyncio::sleep(0s);
  if (i % 4 == 3) throw ValueError(f("risk {}", i));
  co_return i;
}

Coro<> blocked(asyncio::Event& gate) { co_await gate.wait(); }

Coro<> main_() {
  auto start = [](int i) { return asyncio::create_task(risky_operation(i)); };
  auto results = co_await asyncio::gather(asyncio::return_exceptions, map(start, range(10)));
  for (const auto& [i, result] : enumerate(results))
    if (isinstance<Exception>(result)) print(f("任务 {} 失败: {}", i, result));
  auto succeeded = [](const auto& r) { return !isinstance<Exception>(r); };
  print("成功:", unpack(filter(succeeded, results)));
  asyncio::Event gate;
  auto task1 = asyncio::create_task(risky_operation(0));
  auto task2 = asyncio::create_task(blocked(gate));
  auto task3 = asyncio::create_task(blocked(gate));
  std::vector<asyncio::TaskHandle> tasks{task1, task2, task3};
  auto [done, pending] = co_await asyncio::wait(tasks, asyncio::FIRST_COMPLETED);
  print("done:", len(done), "pending:", len(pending), "first is task1:", in(task1, done));
  gate.set();
  co_await asyncio::wait(pending);
}

int main() { asyncio::run(main_()); }
