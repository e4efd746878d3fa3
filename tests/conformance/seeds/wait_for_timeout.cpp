// SPDX-License-Identifier: BSL-1.0
// Seed 1 (advanced 2), seed 3 section 5: wait_for timeout; the task is already cancelled when
// TimeoutError arrives.
#include "python.hpp"

using namespace py;

Coro<std::string> slow_operation() {
  co_await asyncio::sleep(5s);
  co_return "完成";
}

Coro<> main_() {
  auto task = asyncio::create_task(slow_operation());
  try {
    auto result = co_await asyncio::wait_for(task, 10ms);
    print("结果:", result);
  } catch (const asyncio::TimeoutError&) {
    print("任务超时; cancelled:", task.cancelled());
    print("task.cancel():", task.cancel());
  }
}

int main() { asyncio::run(main_()); }
