// SPDX-License-Identifier: BSL-1.0
// timeout_at takes an absolute loop time.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto deadline = loop.time() + 10ms;
  auto scope = asyncio::timeout_at(deadline);
  try {
    co_await asyncio::with(scope, [&]() -> Coro<> {
      print("when is the deadline:", scope.when() == deadline);
      co_await asyncio::Event().wait();
    });
  } catch (const TimeoutError&) {
    print("expired:", scope.expired(), "reached:", loop.time() >= deadline - 1ms);
  }
}

int main() { asyncio::run(main_()); }
