// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [basics]
Coro<> my_coroutine() {
  std::cout << "start\n";
  co_await sleep(1s);
  std::cout << "end\n";
}

Coro<> program() {
  std::cout << "before\n";
  co_await my_coroutine();
  std::cout << "after\n";
}
// [/basics]

int main() { run(program()); }
