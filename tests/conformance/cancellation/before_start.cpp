// SPDX-License-Identifier: BSL-1.0
// A task cancelled before its first step never runs a line of its body.
#include "python.hpp"

using namespace py;

Coro<> worker() {
  print("never printed");
  co_return;
}

Coro<> main_() {
  auto t = asyncio::create_task(worker());
  t.cancel();
  try {
    co_await t;
  } catch (const asyncio::CancelledError&) {
    print("CancelledError; cancelled:", t.cancelled());
  }
}

int main() { asyncio::run(main_()); }
