// SPDX-License-Identifier: BSL-1.0
// put waits while the queue is full; putters are admitted in order as slots free up.
#include "python.hpp"

using namespace py;

Coro<> putter(char name, asyncio::Queue<char>& q) {
  co_await q.put(name);
  print(name, "stored; size", q.qsize());
}

Coro<> main_() {
  asyncio::Queue<char> q(1);
  std::vector<asyncio::Task<>> ts;
  for (char n : "abc"s) ts.push_back(asyncio::create_task(putter(n, q)));
  for (int i = 0; i < 3; ++i) co_await asyncio::sleep(0s);
  print("full:", q.full(), "size:", q.qsize(), "maxsize:", q.maxsize());
  for (int taken = 0; taken < 3; ++taken) {
    print("get ->", co_await q.get());
    for (int i = 0; i < 3; ++i) co_await asyncio::sleep(0s);
  }
  co_await asyncio::gather(ts);
}

int main() { asyncio::run(main_()); }
