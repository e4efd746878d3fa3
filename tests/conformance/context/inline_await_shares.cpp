// SPDX-License-Identifier: BSL-1.0
// A coroutine awaited directly runs in the caller's context: its changes are seen by the
// caller.
#include "python.hpp"

using namespace py;

asyncio::ContextVar<int> var("var", 0);

Coro<> step() {
  var.set(var.get() + 1);
  co_await asyncio::sleep(0s);
}

Coro<> main_() {
  co_await step();
  co_await step();
  print("after direct awaits:", var.get());
  co_await asyncio::create_task(step());
  print("after a task:", var.get());
}

int main() { asyncio::run(main_()); }
