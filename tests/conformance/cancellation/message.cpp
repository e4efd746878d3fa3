// SPDX-License-Identifier: BSL-1.0
// The message given to cancel() travels with the CancelledError to the awaiter.
#include "python.hpp"

using namespace py;

Coro<> worker() {
  try {
    co_await asyncio::Event().wait();
  } catch (const asyncio::CancelledError& e) {
    print("worker:", e);
    throw;
  }
}

Coro<> main_() {
  auto t = asyncio::create_task(worker());
  co_await asyncio::sleep(0s);
  t.cancel("shutting down");
  try {
    co_await t;
  } catch (const asyncio::CancelledError& e) {
    print("awaiter:", e);
  }
  auto fut = asyncio::get_running_loop().create_future();
  fut.cancel("future too");
  try {
    co_await fut;
  } catch (const asyncio::CancelledError& e) {
    print("future:", e);
  }
}

int main() { asyncio::run(main_()); }
