// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [timeout]
Coro<int> step(int number) {
  co_await sleep(400ms);
  co_return number;
}

Coro<int> three_steps() {
  int sum = 0;
  for (int number = 1; number <= 3; ++number) sum += co_await step(number);
  co_return sum;
}

Coro<> program() {
  int sum = co_await with(timeout(2s), [&]() -> Coro<int> { co_return co_await three_steps(); });
  std::cout << "in time: " << sum << "\n";
  try {
    co_await with(timeout(1s), [&](Timeout& scope) -> Coro<> {
      auto deadline = *scope.when();
      co_await step(1);
      scope.reschedule(deadline - 500ms);
      co_await three_steps();
    });
  } catch (const TimeoutError&) {
    std::cout << "out of time\n";
  }
}
// [/timeout]

int main() { run(program()); }
