// SPDX-License-Identifier: BSL-1.0
// Seed 1 (advanced 3): done, cancelled and result of a task.
#include "python.hpp"

using namespace py;

Coro<std::string> fetch_data() {
  co_await asyncio::sleep(10ms);
  co_return "data";
}

Coro<> main_() {
  auto task = asyncio::create_task(fetch_data());
  print(f("任务是否完成: {}", task.done()));
  print(f("任务是否取消: {}", task.cancelled()));
  co_await task;
  print(f("任务是否完成: {}", task.done()));
  print(f("任务结果: {}", task.result()));
}

int main() { asyncio::run(main_()); }
