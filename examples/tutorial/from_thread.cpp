// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <thread>

using namespace asyncio;

// [from_thread]
Coro<int> add(int a, int b) { co_return a + b; }

Coro<> program() {
  EventLoop loop = get_running_loop();
  Event ready;
  std::jthread worker([loop, &ready]() mutable {
    int sum = run_coroutine_threadsafe(add(2, 3), loop).result();
    std::cout << "the loop says " << sum << "\n";
    loop.call_soon_threadsafe([&ready] { ready.set(); });
  });
  co_await ready.wait();
  std::cout << "the thread says it is ready\n";
}
// [/from_thread]

int main() { run(program()); }
