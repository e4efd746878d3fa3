// SPDX-License-Identifier: BSL-1.0
// The body learns of a failed child only at its next suspension, by CancelledError.
#include "python.hpp"

using namespace py;

Coro<> bad() {
  print("bad raises");
  throw ValueError("b");
  co_return;
}

Coro<> main_() {
  try {
    co_await asyncio::with(asyncio::TaskGroup(), [](asyncio::TaskGroup& tg) -> Coro<> {
      tg.create_task(bad());
      for (int i : range(5)) {
        print("body", i);
        co_await asyncio::sleep(0s);
      }
      print("not reached");
    });
  } catch (const ExceptionGroup& eg) {
    print("ExceptionGroup with", len(eg.exceptions()));
  }
}

int main() { asyncio::run(main_()); }
