// SPDX-License-Identifier: BSL-1.0
// A deadline already reached fires at the first suspension; a body that never suspends is not
// timed out.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto first = asyncio::timeout(0s);
  co_await asyncio::with(first, [] { print("no suspension here"); });
  print("first scope expired:", first.expired());
  auto second = asyncio::timeout(0s);
  try {
    co_await asyncio::with(second, []() -> Coro<> {
      print("about to suspend");
      co_await asyncio::sleep(0s);
      print("not reached");
    });
  } catch (const TimeoutError&) {
    print("second scope expired:", second.expired());
  }
  try {
    co_await asyncio::with(asyncio::timeout(-1s), []() -> Coro<> { co_await asyncio::sleep(0s); });
  } catch (const TimeoutError&) {
    print("negative delay: TimeoutError");
  }
}

int main() { asyncio::run(main_()); }
