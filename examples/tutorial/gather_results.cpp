// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [results]
Coro<int> answer() {
  co_await sleep(30ms);
  co_return 42;
}

Coro<std::string> question() {
  co_await sleep(20ms);
  co_return "six by nine";
}

Coro<> nothing() { co_await sleep(10ms); }

Coro<> program() {
  auto [number, text, unit] = co_await gather(answer(), question(), nothing());
  static_assert(std::is_same_v<decltype(unit), Unit>);
  std::cout << text << " = " << number << "\n";
}
// [/results]

int main() { run(program()); }
