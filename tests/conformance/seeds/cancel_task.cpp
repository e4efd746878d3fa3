// SPDX-License-Identifier: BSL-1.0
// Seed 1 (advanced 1) and seed 3 section 6: cancel a long task and await it.
#include "python.hpp"

using namespace py;

Coro<> long_running_task() {
  try {
    print("任务开始");
    co_await asyncio::sleep(10s);
    print("任务完成");
  } catch (const asyncio::CancelledError&) {
    print("任务被取消");
    throw;
  }
}

Coro<> main_() {
  auto task = asyncio::create_task(long_running_task());
  co_await asyncio::sleep(10ms);
  print("取消任务...");
  task.cancel();
  try {
    co_await task;
  } catch (const asyncio::CancelledError&) {
    print("任务已取消");
  }
}

int main() { asyncio::run(main_()); }
