// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [wait_for]
Coro<> slow_operation() { co_await sleep(5s); }

Coro<> program() {
  std::cout << std::boolalpha;
  auto task = create_task(slow_operation);
  try {
    co_await wait_for(task, 1s);
  } catch (const TimeoutError&) {
    std::cout << "timed out; the task is cancelled already: " << task.cancelled() << "\n";
    std::cout << "so cancel() has nothing to do and returns " << task.cancel() << "\n";
  }
}
// [/wait_for]

int main() { run(program()); }
