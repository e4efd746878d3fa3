// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

void print(const char* text) { std::cout << text << "\n"; }

// [order]
Coro<> task() {
  print("iteration 2: the task's first step");
  co_await sleep(0s);
  print("iteration 3: the task's second step");
}

Coro<> program() {
  auto loop = get_running_loop();
  loop.call_later(1ms, print, "after 1 ms: a timer, however early it was asked for");
  loop.call_soon(print, "iteration 2: a callback");
  auto background = create_task(task);
  loop.call_soon([loop]() mutable {
    loop.call_soon(print, "iteration 3: what a callback schedules waits for the next one");
  });
  print("iteration 1: nothing else runs until this coroutine suspends");
  co_await background;
  co_await sleep(5ms);
}
// [/order]

int main() { run(program()); }
