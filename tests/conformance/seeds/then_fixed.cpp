// SPDX-License-Identifier: BSL-1.0
// Seed 3 analogy 4, which calls .then on a coroutine (no such thing): rewritten with a task;
// asyncio has one FIFO ready queue, no micro- and macrotasks.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  print("1");

  auto timer_like = []() -> Coro<> {
    co_await asyncio::sleep(0s);
    print("2");
  };

  auto t = asyncio::create_task(timer_like());
  loop.call_soon(print, "callback queued after the task");
  co_await asyncio::sleep(0s);
  print("3");
  co_await t;
  print("4");
}

int main() { asyncio::run(main_()); }
