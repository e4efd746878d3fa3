// SPDX-License-Identifier: BSL-1.0
// get_nowait on an empty queue raises QueueEmpty, put_nowait on a full one QueueFull.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  asyncio::Queue<int> q(2);
  try {
    q.get_nowait();
  } catch (const asyncio::QueueEmpty&) {
    print("QueueEmpty");
  }
  q.put_nowait(1);
  q.put_nowait(2);
  try {
    q.put_nowait(3);
  } catch (const asyncio::QueueFull&) {
    print("QueueFull");
  }
  int first = q.get_nowait();
  int second = q.get_nowait();
  print(first, second);
  co_return;
}

int main() { asyncio::run(main_()); }
