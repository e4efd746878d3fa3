// SPDX-License-Identifier: BSL-1.0
// An async generator runs only while it is asked for its next item; its awaits let other tasks
// run.
#include "python.hpp"

using namespace py;

asyncio::AsyncGenerator<int> count(int n) {
  for (int i : range(n)) {
    print("  yielding", i);
    co_yield i;
    co_await asyncio::sleep(0s);
  }
  print("  generator ends");
}

Coro<> other() {
  for (int i : range(2)) {
    print("other", i);
    co_await asyncio::sleep(0s);
  }
}

Coro<> main_() {
  auto t = asyncio::create_task(other());
  auto counting = count(3);
  while (auto i = co_await counting.next()) print("got", *i);
  print("loop over");
  co_await t;
}

int main() { asyncio::run(main_()); }
