// SPDX-License-Identifier: BSL-1.0
// cancel() only requests: CancelledError is raised at the task's current await in a later loop
// iteration, and finally blocks run.
#include "python.hpp"

using namespace py;

Coro<> worker() {
  print("worker starts");
  Finally last([] { print("worker: finally"); });
  try {
    co_await asyncio::Event().wait();
    print("not reached");
  } catch (const asyncio::CancelledError&) {
    print("worker: CancelledError");
    throw;
  }
}

Coro<> main_() {
  auto t = asyncio::create_task(worker());
  co_await asyncio::sleep(0s);
  print("cancel() ->", t.cancel());
  print("done right after cancel():", t.done(), "cancelled:", t.cancelled());
  try {
    co_await t;
  } catch (const asyncio::CancelledError&) {
    print("awaiter: CancelledError");
  }
  print("done:", t.done(), "cancelled:", t.cancelled(), "cancel() again ->", t.cancel());
}

int main() { asyncio::run(main_()); }
