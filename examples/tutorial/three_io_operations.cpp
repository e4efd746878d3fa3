// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [operations]
Coro<> do_io(std::string name, Delay takes) {
  std::cout << name << " begins\n";
  co_await sleep(takes);
  std::cout << name << " ends\n";
}

Coro<> program() {
  co_await gather(do_io("first", 200ms), do_io("second", 100ms), do_io("third", 300ms));
}
// [/operations]

int main() { run(program()); }
