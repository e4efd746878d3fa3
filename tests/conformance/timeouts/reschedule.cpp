// SPDX-License-Identifier: BSL-1.0
// reschedule() moves the deadline of an active scope, also from or to None; a past deadline
// expires at the next suspension.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto scope = asyncio::timeout(std::nullopt);
  try {
    co_await asyncio::with(scope, [&]() -> Coro<> {
      print("when:", scope.when());
      scope.reschedule(loop.time() + 10s);
      print("has deadline:", scope.when() != std::nullopt);
      co_await asyncio::sleep(0s);
      scope.reschedule(loop.time() - 1s);
      print("past deadline set, still running");
      co_await asyncio::sleep(0s);
      print("not reached");
    });
  } catch (const TimeoutError&) {
    print("TimeoutError; expired:", scope.expired());
  }
  auto second = asyncio::timeout(10ms);
  co_await asyncio::with(second, [&]() -> Coro<> {
    second.reschedule(std::nullopt);
    co_await asyncio::sleep(30ms);
    print("deadline removed, survived");
  });
  print("expired:", second.expired());
}

int main() { asyncio::run(main_()); }
