// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [group]
Coro<std::string> slow() {
  try {
    co_await sleep(2s);
    co_return "slow";
  } catch (const CancelledError&) {
    std::cout << "slow is cancelled\n";
    throw;
  }
}

Coro<std::string> failing() {
  co_await sleep(1s);
  throw ValueError("failing failed");
}

Coro<> program() {
  try {
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(slow);
      group.create_task(failing);
      co_return;
    });
  } catch (const ExceptionGroup& errors) {
    std::cout << errors.tree();
  }
}
// [/group]

int main() { run(program()); }
