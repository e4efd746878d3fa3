// SPDX-License-Identifier: BSL-1.0
// Cancelling the task that waits in wait() does not cancel the tasks it waits for.
#include "python.hpp"

using namespace py;

Coro<std::string> job() {
  for (int i = 0; i < 6; ++i) co_await asyncio::sleep(0s);
  co_return "job done";
}

Coro<> waiter(asyncio::Task<std::string> t) {
  try {
    co_await asyncio::wait(t);
  } catch (const asyncio::CancelledError&) {
    print("waiter cancelled; job done:", t.done());
    throw;
  }
}

Coro<> main_() {
  auto t = asyncio::create_task(job());
  auto w = asyncio::create_task(waiter(t));
  co_await asyncio::sleep(0s);
  co_await asyncio::sleep(0s);
  w.cancel();
  co_await asyncio::wait(w);
  print("waiter:", w.cancelled(), "job cancelled:", t.cancelled());
  print(co_await t);
}

int main() { asyncio::run(main_()); }
