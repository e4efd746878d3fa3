// SPDX-License-Identifier: BSL-1.0
// When the outer scope expires, CancelledError passes through the inner scope unchanged.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto outer = asyncio::timeout(10ms);
  try {
    co_await asyncio::with(outer, []() -> Coro<> {
      auto inner = asyncio::timeout(10s);
      try {
        co_await asyncio::with(inner, []() -> Coro<> { co_await asyncio::Event().wait(); });
      } catch (const asyncio::CancelledError&) {
        print("through inner: CancelledError; inner expired:", inner.expired());
        throw;
      } catch (const TimeoutError&) {
        print("inner must not time out");
      }
    });
  } catch (const TimeoutError&) {
    print("outer: TimeoutError; outer expired:", outer.expired());
  }
}

int main() { asyncio::run(main_()); }
