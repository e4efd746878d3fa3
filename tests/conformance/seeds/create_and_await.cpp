// SPDX-License-Identifier: BSL-1.0
// Seed 0 "the three together": create_task starts background work, await other_work, then await
// the task.
#include "python.hpp"

using namespace py;

Coro<std::string> job() {
  print("job 开始");
  co_await asyncio::sleep(0s);
  print("job 完成");
  co_return "job result";
}

Coro<> other_work() {
  print("other_work 开始");
  for (int i = 0; i < 4; ++i) co_await asyncio::sleep(0s);
  print("other_work 完成");
}

Coro<> main_() {
  auto t = asyncio::create_task(job());
  co_await other_work();
  print("job done:", t.done());
  print(co_await t);
}

int main() { asyncio::run(main_()); }
