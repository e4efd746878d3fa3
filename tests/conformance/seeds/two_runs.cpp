// SPDX-License-Identifier: BSL-1.0
// Seed 0 and seed 3 call two run() in a row wrong; it is allowed - only a nested one is an
// error.
#include "python.hpp"

using namespace py;

Coro<> foo() {
  print("foo");
  co_return;
}

Coro<> bar() {
  print("bar");
  co_return;
}

Coro<> nested() {
  auto coro = bar();
  try {
    asyncio::run(std::move(coro));
  } catch (const RuntimeError&) {
    print("nested run -> RuntimeError");
  }
  coro.close();
  co_return;
}

int main() {
  asyncio::run(foo());
  asyncio::run(bar());
  asyncio::run(nested());
}
