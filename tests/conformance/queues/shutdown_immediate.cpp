// SPDX-License-Identifier: BSL-1.0
// shutdown(immediate=True) drops the items, counts them as done, and frees join().
#include "python.hpp"

using namespace py;

Coro<> joiner(asyncio::Queue<int>& q) {
  co_await q.join();
  print("joiner free");
}

Coro<> main_() {
  asyncio::Queue<int> q;
  q.put_nowait(1);
  q.put_nowait(2);
  auto t = asyncio::create_task(joiner(q));
  co_await asyncio::sleep(0s);
  print("joiner done:", t.done());
  q.shutdown(true);
  print("size:", q.qsize());
  try {
    q.get_nowait();
  } catch (const asyncio::QueueShutDown&) {
    print("get_nowait -> QueueShutDown");
  }
  co_await t;
}

int main() { asyncio::run(main_()); }
