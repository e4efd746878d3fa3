// SPDX-License-Identifier: BSL-1.0
// Cancelling a task that awaits another task cancels the innermost one first; the error then
// unwinds outwards.
#include "python.hpp"

using namespace py;

Coro<> inner() {
  Finally last([] { print("inner unwinds"); });
  co_await asyncio::Event().wait();
}

Coro<> middle() {
  Finally last([] { print("middle unwinds"); });
  co_await asyncio::create_task(inner());
}

Coro<> outer() {
  Finally last([] { print("outer unwinds"); });
  co_await asyncio::create_task(middle());
}

Coro<> main_() {
  auto t = asyncio::create_task(outer());
  for (int i = 0; i < 4; ++i) co_await asyncio::sleep(0s);
  t.cancel();
  co_await asyncio::wait(t);
  print("outer cancelled:", t.cancelled());
}

int main() { asyncio::run(main_()); }
