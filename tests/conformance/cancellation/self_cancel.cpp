// SPDX-License-Identifier: BSL-1.0
// A task may cancel itself: it runs on until its next suspension, which raises.
#include "python.hpp"

using namespace py;

Coro<> worker() {
  asyncio::current_task()->cancel();
  print("still here");
  try {
    co_await asyncio::sleep(0s);
    print("not reached");
  } catch (const asyncio::CancelledError&) {
    print("raised at the await");
    throw;
  }
}

Coro<> main_() {
  auto t = asyncio::create_task(worker());
  co_await asyncio::wait(t);
  print("cancelled:", t.cancelled());
}

int main() { asyncio::run(main_()); }
