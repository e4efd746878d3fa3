// SPDX-License-Identifier: BSL-1.0
// Seed 3 core concept 1: three tasks under gather, scheduled by the loop; the shortest delay
// ends first.
#include "python.hpp"

using namespace py;

// the seed's sleep(delay), as deadlines from one common start: the order cannot depend on load
Coro<> sleep_until(asyncio::TimePoint when) {
  auto fut = asyncio::get_running_loop().create_future();
  asyncio::get_running_loop().call_at(when, [&] { fut.set_result(); });
  co_await fut;
}

Coro<> task(std::string name, asyncio::TimePoint until) {
  print(f("{}: 开始", name));
  co_await sleep_until(until);
  print(f("{}: 结束", name));
}

Coro<> main_() {
  auto t0 = asyncio::get_running_loop().time();
  co_await asyncio::gather(task("A", t0 + 30ms), task("B", t0 + 10ms), task("C", t0 + 20ms));
}

int main() { asyncio::run(main_()); }
