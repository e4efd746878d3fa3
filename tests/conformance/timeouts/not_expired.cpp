// SPDX-License-Identifier: BSL-1.0
// A body that finishes in time leaves normally, the timer is dropped and expired() stays False.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto scope = asyncio::timeout(10s);
  co_await asyncio::with(scope, [&]() -> Coro<> {
    print("deadline in the future:", scope.when() > loop.time());
    co_await asyncio::sleep(0s);
  });
  print("expired:", scope.expired());
  auto unlimited = asyncio::timeout(std::nullopt);
  co_await asyncio::with(unlimited, [&]() -> Coro<> {
    print("no deadline:", unlimited.when());
    co_await asyncio::sleep(0s);
  });
  print("expired:", unlimited.expired());
}

int main() { asyncio::run(main_()); }
