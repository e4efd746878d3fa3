// SPDX-License-Identifier: BSL-1.0
// Entering and leaving a group without children never suspends.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  asyncio::get_running_loop().call_soon(print, "callback");
  co_await asyncio::with(asyncio::TaskGroup(), [] { print("body"); });
  print("left; the callback has not run");
  co_await asyncio::sleep(0s);
}

int main() { asyncio::run(main_()); }
