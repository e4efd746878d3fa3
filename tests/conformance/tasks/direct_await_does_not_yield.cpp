// SPDX-License-Identifier: BSL-1.0
// Awaiting a coroutine runs it inline: the loop gets no turn until something really suspends.
#include "python.hpp"

using namespace py;

Coro<int> leaf(int n) {
  print("leaf", n);
  co_return n;
}

Coro<int> middle() {
  int one = co_await leaf(1);
  co_return one + co_await leaf(2);
}

Coro<> other() {
  print("other runs");
  co_return;
}

Coro<> main_() {
  auto t = asyncio::create_task(other());
  print("sum", co_await middle());
  print("other done:", t.done());
  co_await asyncio::sleep(0s);
  print("other done:", t.done());
}

int main() { asyncio::run(main_()); }
