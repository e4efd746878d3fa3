// SPDX-License-Identifier: BSL-1.0
// run() inside a running loop raises RuntimeError at once; the inner coroutine never starts and
// the outer one goes on.
#include "python.hpp"

using namespace py;

Coro<> inner() {
  print("inner must not run");
  co_return;
}

Coro<> main_() {
  auto coro = inner();
  try {
    asyncio::run(std::move(coro));
  } catch (const RuntimeError& e) {
    print("RuntimeError:", e);
  }
  coro.close();
  co_await asyncio::sleep(0s);
  print("outer still alive");
}

int main() {
  asyncio::run(main_());
  print("done");
}
