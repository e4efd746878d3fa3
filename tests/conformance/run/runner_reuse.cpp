// SPDX-License-Identifier: BSL-1.0
// Runner.run() can be called repeatedly on one loop; background tasks live on between calls
// (frozen while no run is active) and close() cancels them.
#include "python.hpp"

using namespace py;

Coro<> background() {
  try {
    int n = 0;
    while (true) {
      print("tick", n);
      n += 1;
      co_await asyncio::sleep(0s);
    }
  } catch (const asyncio::CancelledError&) {
    print("background cancelled");
    throw;
  }
}

Coro<asyncio::Task<>> first() {
  auto t = asyncio::create_task(background());
  co_await asyncio::sleep(0s);
  co_await asyncio::sleep(0s);
  print("first done");
  co_return t;
}

Coro<> second() {
  print("second start");
  co_await asyncio::sleep(0s);
  print("second done");
}

int main() {
  std::optional<asyncio::Task<>> t;
  {
    asyncio::Runner runner;
    t = runner.run(first());
    print("between runs; task done:", t->done());
    runner.run(second());
    print("leaving");
  }
  print("closed; task cancelled:", t->cancelled());
}
