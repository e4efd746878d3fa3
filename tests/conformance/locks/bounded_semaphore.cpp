// SPDX-License-Identifier: BSL-1.0
// BoundedSemaphore refuses a release beyond its initial value; a plain Semaphore grows.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  asyncio::BoundedSemaphore b(1);
  co_await asyncio::with(b, [&] { print("locked:", b.locked()); });
  try {
    b.release();
  } catch (const ValueError&) {
    print("extra release -> ValueError");
  }
  asyncio::Semaphore s(0);
  s.release();
  s.release();
  bool first = co_await s.acquire();
  bool second = co_await s.acquire();
  print(first, second, "locked:", s.locked());
}

int main() { asyncio::run(main_()); }
