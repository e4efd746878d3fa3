// SPDX-License-Identifier: BSL-1.0
// Getters wait for items and are served in the order in which they asked.
#include "python.hpp"

using namespace py;

Coro<> getter(char name, asyncio::Queue<int>& q) { print(name, "got", co_await q.get()); }

Coro<> main_() {
  asyncio::Queue<int> q;
  std::vector<asyncio::Task<>> ts;
  for (char n : "abc"s) ts.push_back(asyncio::create_task(getter(n, q)));
  co_await asyncio::sleep(0s);
  for (int item : list(10, 20, 30)) {
    print("put", item);
    co_await q.put(item);
  }
  co_await asyncio::gather(ts);
}

int main() { asyncio::run(main_()); }
