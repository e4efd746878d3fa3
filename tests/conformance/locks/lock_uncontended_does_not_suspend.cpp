// SPDX-License-Identifier: BSL-1.0
// Acquiring a free lock and releasing it never suspends.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  asyncio::Lock lock;
  asyncio::get_running_loop().call_soon(print, "callback");
  bool acquired = co_await lock.acquire();
  print("acquire ->", acquired, "locked:", lock.locked());
  lock.release();
  print("locked:", lock.locked());
  try {
    lock.release();
  } catch (const RuntimeError&) {
    print("release of a free lock -> RuntimeError");
  }
  co_await asyncio::sleep(0s);
}

int main() { asyncio::run(main_()); }
