// SPDX-License-Identifier: BSL-1.0
// Seed 2: an awaited coroutine runs between Before and After.
#include "python.hpp"

using namespace py;

Coro<> my_coroutine() {
  print("Start");
  co_await asyncio::sleep(10ms);
  print("End");
}

Coro<> main_() {
  print("Before");
  co_await my_coroutine();
  print("After");
}

int main() { asyncio::run(main_()); }
