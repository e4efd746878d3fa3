// SPDX-License-Identifier: BSL-1.0
// Cancelling a future wakes its waiters with CancelledError; result() and exception() raise it
// too.
#include "python.hpp"

using namespace py;

Coro<> waiter(asyncio::Future<> fut) {
  try {
    co_await fut;
  } catch (const asyncio::CancelledError&) {
    print("waiter: CancelledError; own requests:", asyncio::current_task()->cancelling());
  }
}

Coro<> main_() {
  auto fut = asyncio::get_running_loop().create_future();
  auto t = asyncio::create_task(waiter(fut));
  co_await asyncio::sleep(0s);
  bool first = fut.cancel();
  print("cancel ->", first, "again ->", fut.cancel());
  print("done:", fut.done(), "cancelled:", fut.cancelled());
  for (const Call& call : {Call([&] { fut.result(); }), Call([&] { fut.exception(); })}) {
    try {
      call();
    } catch (const asyncio::CancelledError&) {
      print("raises CancelledError");
    }
  }
  co_await t;
  print("waiter task cancelled:", t.cancelled());
}

int main() { asyncio::run(main_()); }
