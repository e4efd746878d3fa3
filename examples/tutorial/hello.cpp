// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

Coro<int> hello() {
  std::cout << "Hello\n";
  co_await sleep(1s);
  std::cout << "World\n";
  co_return 42;
}

int main() {
  int answer = run(hello());
  std::cout << answer << "\n";
}
