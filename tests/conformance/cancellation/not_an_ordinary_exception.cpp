// SPDX-License-Identifier: BSL-1.0
// A handler for ordinary exceptions does not catch CancelledError.
#include "python.hpp"

using namespace py;

Coro<> worker() {
  while (true) {
    Finally last([] { print("finally"); });
    try {
      co_await asyncio::Event().wait();
    } catch (const Exception&) {
      print("must not be caught here");
    }
  }
}

Coro<> main_() {
  auto t = asyncio::create_task(worker());
  co_await asyncio::sleep(0s);
  t.cancel();
  co_await asyncio::wait(t);
  print("cancelled:", t.cancelled());
}

int main() { asyncio::run(main_()); }
