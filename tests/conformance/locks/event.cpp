// SPDX-License-Identifier: BSL-1.0
// Event.set wakes all waiters in order, later waits return at once; clear() makes waits block
// again.
#include "python.hpp"

using namespace py;

Coro<> waiter(std::string name, asyncio::Event& ev) { print(name, "wait ->", co_await ev.wait()); }

Coro<> main_() {
  asyncio::Event ev;
  std::vector<asyncio::Task<>> ts;
  for (char n : "ab"s) ts.push_back(asyncio::create_task(waiter(str(n), ev)));
  co_await asyncio::sleep(0s);
  print("is_set:", ev.is_set());
  ev.set();
  print("set() returned");
  co_await waiter("main", ev);
  co_await asyncio::gather(ts);
  ev.clear();
  auto t = asyncio::create_task(waiter("late", ev));
  for (int i = 0; i < 3; ++i) co_await asyncio::sleep(0s);
  print("late done:", t.done());
  ev.set();
  co_await t;
}

int main() { asyncio::run(main_()); }
