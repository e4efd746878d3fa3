// SPDX-License-Identifier: BSL-1.0
// Callbacks already queued run before timers that fall due in the same iteration; due timers
// run in deadline order.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto t0 = loop.time();
  loop.call_at(t0 + 2ms, print, "timer 2");
  loop.call_at(t0 + 1ms, print, "timer 1");
  loop.call_soon(print, "queued");
  blocking_sleep(10ms);
  print("both timers are overdue");
  co_await asyncio::sleep(0s);
  print("main resumes before the timers ran");
  co_await asyncio::sleep(0s);
  print("end");
}

int main() { asyncio::run(main_()); }
