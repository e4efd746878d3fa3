// SPDX-License-Identifier: BSL-1.0
// A released lock goes to the waiter at the head of the queue: the releasing task cannot take
// it back at once.
#include "python.hpp"

using namespace py;

Coro<> greedy(asyncio::Lock& lock) {
  for (int i : range(2)) {
    co_await asyncio::with(lock, [&]() -> Coro<> {
      print("greedy", i);
      co_await asyncio::sleep(0s);
    });
  }
}

Coro<> patient(asyncio::Lock& lock) {
  co_await asyncio::with(lock, [] { print("patient"); });
}

Coro<> main_() {
  asyncio::Lock lock;
  co_await asyncio::gather(greedy(lock), patient(lock));
}

int main() { asyncio::run(main_()); }
