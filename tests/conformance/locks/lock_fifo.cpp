// SPDX-License-Identifier: BSL-1.0
// A Lock admits one task at a time, waiters in the order in which they asked.
#include "python.hpp"

using namespace py;

Coro<> worker(char name, asyncio::Lock& lock) {
  print(name, "asks");
  co_await asyncio::with(lock, [&]() -> Coro<> {
    print(name, "in");
    co_await asyncio::sleep(0s);
    print(name, "out");
  });
}

Coro<> main_() {
  asyncio::Lock lock;
  auto workers = map([&](char n) { return worker(n, lock); }, "abc"s);
  co_await asyncio::gather(std::move(workers));
  print("locked:", lock.locked());
}

int main() { asyncio::run(main_()); }
