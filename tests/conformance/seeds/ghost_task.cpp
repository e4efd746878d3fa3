// SPDX-License-Identifier: BSL-1.0
// Seed 0 "ghost task": a task nobody awaits dies with run() - by cancellation, so its finally
// blocks do run.
#include "python.hpp"

using namespace py;

Coro<> job() {
  Finally last([] { print("job 被取消"); });
  print("job 开始");
  co_await asyncio::sleep(10s);
  print("job 完成");
}

Coro<> main_() {
  asyncio::create_task(job());
  co_await asyncio::sleep(10ms);
  print("main 结束");
}

int main() {
  asyncio::run(main_());
  print("run 结束");
}
