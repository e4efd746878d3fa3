// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [tasks]
Coro<std::string> say_hello() {
  co_await sleep(20ms);
  std::cout << "hello is ready\n";
  co_return "Hello";
}

Coro<std::string> say_world() {
  co_await sleep(10ms);
  std::cout << "world is ready\n";
  co_return "World";
}

Coro<> program() {
  Task<std::string> hello = create_task(say_hello);
  Task<std::string> world = create_task(say_world);
  std::cout << co_await hello << " " << co_await world << "\n";
}
// [/tasks]

int main() { run(program()); }
