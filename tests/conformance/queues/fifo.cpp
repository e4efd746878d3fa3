// SPDX-License-Identifier: BSL-1.0
// Items come out in the order they went in; a free put and a ready get do not suspend.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  asyncio::Queue<int> q;
  asyncio::get_running_loop().call_soon(print, "callback");
  for (int i : range(3)) co_await q.put(i);
  print("size:", q.qsize(), "empty:", q.empty(), "full:", q.full());
  int first = co_await q.get();
  int second = co_await q.get();
  int third = co_await q.get();
  print(first, second, third);
  print("size:", q.qsize(), "empty:", q.empty());
  co_await asyncio::sleep(0s);
}

int main() { asyncio::run(main_()); }
