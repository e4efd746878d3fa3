// SPDX-License-Identifier: BSL-1.0
// Seed 3: get_running_loop inside the program; the loop runs there and is closed afterwards.
#include "python.hpp"

using namespace py;

Coro<asyncio::EventLoop> show_loop() {
  auto loop = asyncio::get_running_loop();
  print("是否在运行:", loop.is_running());
  co_return loop;
}

int main() {
  auto loop = asyncio::run(show_loop());
  print("是否在运行:", loop.is_running(), "已关闭:", loop.is_closed());
  try {
    asyncio::get_running_loop();
  } catch (const RuntimeError& e) {
    print("outside:", e);
  }
}
