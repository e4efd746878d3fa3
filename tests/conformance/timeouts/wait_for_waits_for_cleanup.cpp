// SPDX-License-Identifier: BSL-1.0
// On timeout wait_for cancels the awaitable and raises TimeoutError only after its cleanup
// finished.
#include "python.hpp"

using namespace py;

Coro<> slow() {
  co_await asyncio::try_([]() -> Coro<> {
    co_await asyncio::Event().wait();
  }).finally_([]() -> Coro<> {
    print("slow: cleanup starts");
    for (int i = 0; i < 3; ++i) co_await asyncio::sleep(0s);
    print("slow: cleanup ends");
  });
}

Coro<> main_() {
  auto t = asyncio::create_task(slow());
  try {
    co_await asyncio::wait_for(t, 10ms);
  } catch (const TimeoutError&) {
    print("TimeoutError; task cancelled:", t.cancelled());
  }
  print("cancel() on it now:", t.cancel());
}

int main() { asyncio::run(main_()); }
