// SPDX-License-Identifier: BSL-1.0
// Only the scope that expired converts: TimeoutError of the inner scope can be handled inside
// the outer one.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto outer = asyncio::timeout(10s);
  co_await asyncio::with(outer, [&]() -> Coro<> {
    auto inner = asyncio::timeout(10ms);
    try {
      co_await asyncio::with(inner, []() -> Coro<> { co_await asyncio::Event().wait(); });
    } catch (const TimeoutError&) {
      print("inner TimeoutError; inner:", inner.expired(), "outer:", outer.expired());
    }
    co_await asyncio::sleep(0s);
    print("outer body goes on");
  });
  print("outer expired:", outer.expired());
}

int main() { asyncio::run(main_()); }
