// SPDX-License-Identifier: BSL-1.0
// Seed 1 scene 3: a periodic background task next to the main logic, cancelled at the end.
#include "python.hpp"

using namespace py;

Coro<> background_task() {
  Finally last([] { print("后台任务结束"); });
  while (true) {
    co_await asyncio::sleep(60s);
    print("清理缓存...");
  }
}

Coro<> process_requests() {
  for (int i : range(2)) {
    co_await asyncio::sleep(10ms);
    print("处理请求", i);
  }
}

Coro<> main_() {
  auto bg_task = asyncio::create_task(background_task());
  co_await process_requests();
  bg_task.cancel();
  print("主逻辑完成");
}

int main() { asyncio::run(main_()); }
