// SPDX-License-Identifier: BSL-1.0
// run() drives the coroutine to completion and hands back its return value; nothing runs before
// or after it.
#include "python.hpp"

using namespace py;

Coro<int> add(int a, int b) {
  print("add", a, b);
  co_return a + b;
}

Coro<int> main_() {
  print("main start");
  int total = co_await add(40, 2);
  print("main end");
  co_return total;
}

int main() {
  print("before run");
  int value = asyncio::run(main_());
  print("after run", value);
}
