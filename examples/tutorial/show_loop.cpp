// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;

// [loop]
Coro<EventLoop> show_loop() {
  EventLoop loop = get_running_loop();
  std::cout << "running: " << loop.is_running() << "\n";
  co_return loop;
}

int main() {
  std::cout << std::boolalpha;
  EventLoop loop = run(show_loop());
  std::cout << "running: " << loop.is_running() << ", closed: " << loop.is_closed() << "\n";
  try {
    get_running_loop();
  } catch (const RuntimeError& e) {
    std::cout << e.what() << "\n";
  }
  try {
    loop.call_soon([] {});
  } catch (const RuntimeError& e) {
    std::cout << e.what() << "\n";
  }
}
// [/loop]
