// SPDX-License-Identifier: BSL-1.0
// A coroutine that raises CancelledError itself leaves its task cancelled although nobody
// called cancel().
#include "python.hpp"

using namespace py;

Coro<> quits() {
  co_await asyncio::sleep(0s);
  throw asyncio::CancelledError("by hand");
}

Coro<> main_() {
  auto t = asyncio::create_task(quits());
  try {
    co_await t;
  } catch (const asyncio::CancelledError& e) {
    print("awaiter:", e);
  }
  print("cancelled:", t.cancelled(), "requests:", t.cancelling());
  try {
    t.exception();
  } catch (const asyncio::CancelledError&) {
    print("exception() raises CancelledError too");
  }
}

int main() { asyncio::run(main_()); }
