// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [tasks]
Coro<std::string> task(std::string name, Delay delay) {
  std::cout << "[" << name << "] starts\n";
  co_await sleep(delay);
  std::cout << "[" << name << "] ends\n";
  co_return name + "_result";
}

Coro<> program() {
  auto begin = get_running_loop().time();
  auto [a, b, c] = co_await gather(task("A", 300ms), task("B", 200ms), task("C", 100ms));
  std::cout << a << ", " << b << ", " << c << " after " << (get_running_loop().time() - begin) / 1ms
            << " ms\n";
}
// [/tasks]

int main() { run(program()); }
