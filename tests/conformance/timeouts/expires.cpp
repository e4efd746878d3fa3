// SPDX-License-Identifier: BSL-1.0
// When the deadline passes, the body is cancelled at its await and the CancelledError becomes
// TimeoutError on leaving the scope.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto scope = asyncio::timeout(10ms);
  try {
    co_await asyncio::with(scope, [&]() -> Coro<> {
      try {
        co_await asyncio::Event().wait();
      } catch (const asyncio::CancelledError&) {
        print("body sees CancelledError; expired:", scope.expired());
        throw;
      }
    });
    print("not reached");
  } catch (const TimeoutError&) {
    print("TimeoutError outside; expired:", scope.expired());
  }
  print("cancelling:", asyncio::current_task()->cancelling());
  co_await asyncio::sleep(0s);
  print("main goes on");
}

int main() { asyncio::run(main_()); }
