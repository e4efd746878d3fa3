// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [generator]
AsyncGenerator<std::string> lines(int count) {
  try {
    for (int i = 1; i <= count; ++i) {
      co_await sleep(10ms);
      co_yield "line " + std::to_string(i);
    }
  } catch (const GeneratorExit&) {
    std::cout << "closed early\n";
    throw;
  }
}

Coro<> program() {
  auto all = lines(2);
  while (auto line = co_await all.next()) std::cout << *line << "\n";

  auto some = lines(1000);
  while (auto line = co_await some.next()) {
    std::cout << *line << "\n";
    if (*line == "line 3") break;
  }
  co_await some.aclose();
}
// [/generator]

int main() { run(program()); }
