// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

using namespace asyncio;
using namespace std::chrono_literals;

// [thread]
// Knows nothing of event loops, and blocks the thread that calls it.
std::string blocking_read(std::string name) {
  std::this_thread::sleep_for(30ms);
  return "contents of " + name;
}

Coro<> ticker() {
  for (int tick = 1; tick <= 2; ++tick) {
    co_await sleep(10ms);
    std::cout << "tick " << tick << "\n";
  }
}

Coro<> program() {
  auto ticks = create_task(ticker);
  std::cout << co_await to_thread(blocking_read, "notes.txt") << "\n";
  co_await ticks;
}
// [/thread]

int main() { run(program()); }
