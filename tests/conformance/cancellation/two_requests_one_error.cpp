// SPDX-License-Identifier: BSL-1.0
// Two cancel() calls before the task runs again deliver one CancelledError but count two
// requests.
#include "python.hpp"

using namespace py;

Coro<> worker() {
  int hits = 0;
  for (int i = 0; i < 3; ++i) {
    try {
      co_await asyncio::sleep(0s);
    } catch (const asyncio::CancelledError&) {
      hits += 1;
    }
  }
  print("errors delivered:", hits, "requests:", asyncio::current_task()->cancelling());
}

Coro<> main_() {
  auto t = asyncio::create_task(worker());
  co_await asyncio::sleep(0s);
  t.cancel();
  t.cancel();
  co_await t;
  print("cancelled:", t.cancelled());
}

int main() { asyncio::run(main_()); }
