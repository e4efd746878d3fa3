// SPDX-License-Identifier: BSL-1.0
// SIGINT during run() cancels the main task; run() raises KeyboardInterrupt once the main task
// ended cancelled.
#include "python.hpp"

#include <csignal>

using namespace py;

Coro<> main_() {
  print("main waits");
  std::raise(SIGINT);
  Finally last([] { print("main finally"); });
  try {
    co_await asyncio::Event().wait();
  } catch (const asyncio::CancelledError&) {
    print("main cancelled");
    throw;
  }
}

int main() {
  std::signal(SIGINT, SIG_DFL);  // in case it came in ignored
  try {
    asyncio::run(main_());
    print("not reached");
  } catch (const KeyboardInterrupt&) {
    print("run raised KeyboardInterrupt");
  }
}
