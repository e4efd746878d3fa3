// SPDX-License-Identifier: BSL-1.0
// Seed 1: the shorter of two tasks finishes first, the results are read in await order.
#include "python.hpp"

using namespace py;

// the seed's sleep(delay), as deadlines from one common start: the order cannot depend on load
Coro<> sleep_until(asyncio::TimePoint when) {
  auto fut = asyncio::get_running_loop().create_future();
  asyncio::get_running_loop().call_at(when, [&] { fut.set_result(); });
  co_await fut;
}

Coro<std::string> task1(asyncio::TimePoint t0) {
  co_await sleep_until(t0 + 30ms);
  print("Task 1 完成");
  co_return "Result 1";
}

Coro<std::string> task2(asyncio::TimePoint t0) {
  co_await sleep_until(t0 + 10ms);
  print("Task 2 完成");
  co_return "Result 2";
}

Coro<> main_() {
  auto t0 = asyncio::get_running_loop().time();
  auto t1 = asyncio::create_task(task1(t0));
  auto t2 = asyncio::create_task(task2(t0));
  auto result1 = co_await t1;
  auto result2 = co_await t2;
  print(f("结果: {}, {}", result1, result2));
}

int main() { asyncio::run(main_()); }
