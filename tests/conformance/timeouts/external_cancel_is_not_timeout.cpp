// SPDX-License-Identifier: BSL-1.0
// A cancellation from outside leaves an unexpired scope as CancelledError.
#include "python.hpp"

using namespace py;

Coro<> worker() {
  auto scope = asyncio::timeout(10s);
  try {
    co_await asyncio::with(scope, []() -> Coro<> { co_await asyncio::Event().wait(); });
  } catch (const TimeoutError&) {
    print("not reached");
  } catch (const asyncio::CancelledError&) {
    print("CancelledError; expired:", scope.expired());
    throw;
  }
}

Coro<> main_() {
  auto t = asyncio::create_task(worker());
  co_await asyncio::sleep(0s);
  t.cancel();
  co_await asyncio::wait(t);
  print("cancelled:", t.cancelled());
}

int main() { asyncio::run(main_()); }
