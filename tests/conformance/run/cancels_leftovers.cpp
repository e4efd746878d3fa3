// SPDX-License-Identifier: BSL-1.0
// When main returns, tasks still pending are cancelled and run() waits for their cleanup (which
// may itself await).
#include "python.hpp"

using namespace py;

Coro<> worker() {
  print("worker start");
  co_await asyncio::try_([]() -> Coro<> {
    try {
      co_await asyncio::Event().wait();
    } catch (const asyncio::CancelledError&) {
      print("worker cancelled");
      throw;
    }
  }).finally_([]() -> Coro<> {
    for (int i : range(3)) {
      co_await asyncio::sleep(0s);
      print("worker cleanup", i);
    }
  });
}

Coro<asyncio::Task<>> main_() {
  auto t = asyncio::create_task(worker());
  co_await asyncio::sleep(0s);
  print("main returns");
  co_return t;
}

int main() {
  auto t = asyncio::run(main_());
  print("run returned; worker done:", t.done(), "cancelled:", t.cancelled());
}
