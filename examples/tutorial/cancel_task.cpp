// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [cancel]
Coro<> long_running() {
  std::cout << "task starts\n";
  try {
    co_await sleep(10s);
    std::cout << "task ends\n";
  } catch (const CancelledError& e) {
    std::cout << "task cancelled: " << e.what() << "\n";
    throw;
  }
}

Coro<> program() {
  auto task = create_task(long_running);
  co_await sleep(1s);
  task.cancel("no longer needed");
  std::cout << "requested, and nothing has happened yet\n";
  try {
    co_await task;
  } catch (const CancelledError&) {
    std::cout << "the task has ended; cancelled: " << std::boolalpha << task.cancelled() << "\n";
  }
}
// [/cancel]

int main() { run(program()); }
