// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [then]
Coro<int> one() { co_return 1; }

Coro<> program() {
  auto loop = get_running_loop();
  auto print = [](int number) {
    std::cout << number << "\n";
    return number;
  };
  print(1);
  auto second = create_task(one).then([=](int value) { return print(value + 1); });
  loop.call_later(0s, print, 4);
  loop.call_soon(print, 3);
  co_await second;
  co_await sleep(1ms);
}
// [/then]

int main() { run(program()); }
