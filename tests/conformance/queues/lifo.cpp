// SPDX-License-Identifier: BSL-1.0
// LifoQueue hands out the newest entry first.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  asyncio::LifoQueue<int> q(3);
  for (int i : list(1, 2, 3)) q.put_nowait(i);
  print("full:", q.full());
  int first = co_await q.get();
  int second = co_await q.get();
  print(first, second);
  q.put_nowait(9);
  int third = co_await q.get();
  int fourth = co_await q.get();
  print(third, fourth);
}

int main() { asyncio::run(main_()); }
