// SPDX-License-Identifier: BSL-1.0
// S11, fault 205: what is not awaited does nothing, so its value may not be dropped.
#include "asyncio/asyncio.hpp"

using namespace asyncio;
using namespace std::chrono_literals;

Coro<int> job();
AsyncGenerator<int> items();

void calls(std::vector<Task<int>>& tasks, Task<int> task) {
  // refused: co_await it or give it to create_task
  job();
  // refused: co_await generator.next()
  items();
  // refused: co_await it
  sleep(1s);
  // refused: co_await it
  sleep(1s, 5);
  // refused: co_await it, or keep it
  gather(job(), job());
  // refused: co_await it, or keep it
  gather(return_exceptions, job());
  // refused: co_await it
  wait_for(job(), 1s);
  // refused: co_await it
  wait(tasks);
  // refused: co_await it
  wait(task, task);
  // refused: co_await it, or keep it
  shield(job());
  // refused: co_await completed.next()
  as_completed(tasks);
  // refused: co_await with(timeout(...), body)
  timeout(1s);
  // refused: co_await it
  capture(job());
  // refused: co_await it
  capture(task);
  // refused: co_await it
  to_thread([] { return 1; });
  // refused: co_await it
  with(timeout(1s), [] {});
  // refused: co_await it
  try_([] {});
  // refused: co_await it
  try_([] {}).except<ValueError>([] {});
  // refused: co_await it
  try_([] {}).finally_([] {});
  // refused: co_await it
  collect(items());
  // refused: co_await it
  open_connection("localhost", 80);
  // refused: co_await it
  start_server([](auto, auto) {}, "", 80);
}

void members(Lock& lock, Event& event, Condition& condition, Semaphore& semaphore,
             Barrier& barrier) {
  // refused: co_await it
  lock.acquire();
  // refused: co_await it
  lock.scoped();
  // refused: co_await it
  event.wait();
  // refused: co_await it
  condition.wait();
  // refused: co_await it
  condition.wait_for([] { return true; });
  // refused: co_await it
  semaphore.acquire();
  // refused: co_await it
  semaphore.scoped();
  // refused: co_await it
  barrier.wait();
  // refused: co_await it
  barrier.reset();
}

void more_members(Queue<int>& queue, AsyncGenerator<int>& generator, StreamReader& reader,
                  StreamWriter& writer) {
  // refused: co_await it
  queue.put(1);
  // refused: co_await it
  queue.get();
  // refused: co_await it
  queue.next();
  // refused: co_await it
  queue.join();
  // refused: co_await it
  generator.next();
  // refused: co_await it
  generator.aclose();
  // refused: co_await it
  reader.read();
  // refused: co_await it
  reader.readline();
  // refused: co_await it
  reader.readexactly(1);
  // refused: co_await it
  writer.drain();
  // refused: co_await it
  writer.wait_closed();
}
