// SPDX-License-Identifier: BSL-1.0
// After shutdown() puts fail at once, gets serve what is left and then raise QueueShutDown.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  asyncio::Queue<std::string> q;
  q.put_nowait("a");
  q.put_nowait("b");
  q.shutdown();
  try {
    q.put_nowait("c");
  } catch (const asyncio::QueueShutDown&) {
    print("put_nowait -> QueueShutDown");
  }
  try {
    co_await q.put("c");
  } catch (const asyncio::QueueShutDown&) {
    print("put -> QueueShutDown");
  }
  auto first = co_await q.get();
  print(first, q.get_nowait());
  try {
    co_await q.get();
  } catch (const asyncio::QueueShutDown&) {
    print("get -> QueueShutDown");
  }
  try {
    q.get_nowait();
  } catch (const asyncio::QueueShutDown&) {
    print("get_nowait -> QueueShutDown");
  }
  q.task_done();
  q.task_done();
  co_await q.join();
  print("joined");
}

int main() { asyncio::run(main_()); }
