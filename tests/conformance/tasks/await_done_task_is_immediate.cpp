// SPDX-License-Identifier: BSL-1.0
// Awaiting a task that is already done does not suspend.
#include "python.hpp"

using namespace py;

Coro<int> quick() { co_return 5; }

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto t = asyncio::create_task(quick());
  co_await asyncio::sleep(0s);
  print("done:", t.done());
  loop.call_soon(print, "callback");
  print("first await", co_await t);
  print("second await", co_await t);
  co_await asyncio::sleep(0s);
  print("end");
}

int main() { asyncio::run(main_()); }
