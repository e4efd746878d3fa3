// SPDX-License-Identifier: BSL-1.0
// A coroutine that swallows the timeout's cancellation and returns makes wait_for return that
// value.
#include "python.hpp"

using namespace py;

Coro<std::string> stubborn() {
  try {
    co_await asyncio::Event().wait();
  } catch (const asyncio::CancelledError&) {
    print("cancellation swallowed");
  }
  co_await asyncio::sleep(0s);
  co_return "fallback";
}

Coro<> main_() {
  print("wait_for returned", co_await asyncio::wait_for(stubborn(), 10ms));
  print("cancelling:", asyncio::current_task()->cancelling());
}

int main() { asyncio::run(main_()); }
