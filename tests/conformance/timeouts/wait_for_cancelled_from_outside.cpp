// SPDX-License-Identifier: BSL-1.0
// Cancelling the task that waits in wait_for cancels the awaited task too, and raises
// CancelledError.
#include "python.hpp"

using namespace py;

Coro<> inner() {
  try {
    co_await asyncio::Event().wait();
  } catch (const asyncio::CancelledError&) {
    print("inner cancelled");
    throw;
  }
}

Coro<> outer(asyncio::Task<> t) {
  try {
    co_await asyncio::wait_for(t, 10s);
  } catch (const TimeoutError&) {
    print("not reached");
  } catch (const asyncio::CancelledError&) {
    print("outer cancelled; inner done:", t.done());
    throw;
  }
}

Coro<> main_() {
  auto t = asyncio::create_task(inner());
  auto o = asyncio::create_task(outer(t));
  co_await asyncio::sleep(0s);
  co_await asyncio::sleep(0s);
  o.cancel();
  co_await asyncio::wait(o);
  print(o.cancelled(), t.cancelled());
}

int main() { asyncio::run(main_()); }
