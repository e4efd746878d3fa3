// SPDX-License-Identifier: BSL-1.0
// notify(n) wakes n waiters in wait order; each holds the lock again when wait() returns.
#include "python.hpp"

using namespace py;

Coro<> waiter(char name, asyncio::Condition& cond) {
  co_await asyncio::with(cond, [&]() -> Coro<> {
    print(name, "waits");
    bool r = co_await cond.wait();
    print(name, "woken:", r, "locked:", cond.locked());
  });
}

Coro<> main_() {
  asyncio::Condition cond;
  std::vector<asyncio::Task<>> ts;
  for (char n : "abcd"s) ts.push_back(asyncio::create_task(waiter(n, cond)));
  co_await asyncio::sleep(0s);
  co_await asyncio::with(cond, [&] {
    cond.notify();
    print("notify 1");
  });
  for (int i = 0; i < 4; ++i) co_await asyncio::sleep(0s);
  co_await asyncio::with(cond, [&] {
    cond.notify(2);
    print("notify 2");
  });
  for (int i = 0; i < 6; ++i) co_await asyncio::sleep(0s);
  co_await asyncio::with(cond, [&] {
    cond.notify_all();
    print("notify all");
  });
  co_await asyncio::gather(ts);
}

int main() { asyncio::run(main_()); }
