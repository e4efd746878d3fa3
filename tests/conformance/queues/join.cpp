// SPDX-License-Identifier: BSL-1.0
// join() returns when task_done was called once for every item put; one call too many raises
// ValueError.
#include "python.hpp"

using namespace py;

Coro<> worker(asyncio::Queue<int>& q) {
  while (true) {
    int item = co_await q.get();
    co_await asyncio::sleep(0s);
    print("processed", item);
    q.task_done();
  }
}

Coro<> main_() {
  asyncio::Queue<int> q;
  co_await q.join();
  print("join of an unused queue returns");
  for (int i : range(4)) q.put_nowait(i);
  auto w = asyncio::create_task(worker(q));
  co_await q.join();
  print("all processed");
  try {
    q.task_done();
  } catch (const ValueError&) {
    print("extra task_done -> ValueError");
  }
  w.cancel();
  co_await asyncio::wait(w);
}

int main() { asyncio::run(main_()); }
