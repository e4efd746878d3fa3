// SPDX-License-Identifier: BSL-1.0
// Seed 3 sections 4.4 and 7.7: a coroutine that is created but not awaited does nothing; the
// program runs the same in debug mode.
#include "python.hpp"

using namespace py;

Coro<> step(std::string name) {
  print("never printed:", name);
  co_return;
}

Coro<> debug_demo() {
  auto forgotten = step("forgotten");
  co_await asyncio::sleep(10ms);
  forgotten.close();
  print("调试演示完成; debug:", asyncio::get_running_loop().get_debug());
}

int main() {
  asyncio::run(debug_demo(), asyncio::RunOptions().debug(false));
  asyncio::run(debug_demo(), asyncio::RunOptions().debug(true));
}
