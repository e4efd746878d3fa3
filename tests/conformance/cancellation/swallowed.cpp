// SPDX-License-Identifier: BSL-1.0
// A task that catches CancelledError and returns is not cancelled; cancelling() keeps the
// request count until uncancel().
#include "python.hpp"

using namespace py;

Coro<std::string> stubborn() {
  auto me = asyncio::current_task();
  try {
    co_await asyncio::Event().wait();
  } catch (const asyncio::CancelledError&) {
    print("swallowed; cancelling:", me->cancelling());
  }
  co_await asyncio::sleep(0s);
  print("still running; cancelling:", me->cancelling());
  int left = me->uncancel();
  print("uncancel ->", left, "and once more ->", me->uncancel());
  co_return "result";
}

Coro<> main_() {
  auto t = asyncio::create_task(stubborn());
  co_await asyncio::sleep(0s);
  t.cancel();
  auto result = co_await t;
  print("awaited:", result, "; cancelled:", t.cancelled());
}

int main() { asyncio::run(main_()); }
