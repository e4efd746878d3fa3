// SPDX-License-Identifier: BSL-1.0
// The TimeoutError of a scope has the CancelledError as its cause.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  try {
    co_await asyncio::with(asyncio::timeout(0s), []() -> Coro<> { co_await asyncio::sleep(1s); });
  } catch (const TimeoutError& e) {
    print("cause:", type_name(e.cause()));
  }
  try {
    co_await asyncio::wait_for(asyncio::sleep(1s), 10ms);
  } catch (const TimeoutError& e) {
    print("wait_for cause:", type_name(e.cause()));
  }
}

int main() { asyncio::run(main_()); }
