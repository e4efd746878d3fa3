// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [future]
Coro<> worker(std::string name) {
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    std::cout << name << " cancelled\n";
    throw;
  }
}

Coro<> program() {
  auto both = gather(worker("one"), worker("two"));
  co_await sleep(1s);
  both.cancel();
  auto outcome = co_await capture(both);
  std::cout << "gather cancelled: " << std::boolalpha << outcome.cancelled() << "\n";
}
// [/future]

int main() { run(program()); }
