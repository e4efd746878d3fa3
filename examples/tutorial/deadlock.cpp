// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>
#include <asyncio/testing/simulated.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [deadlock]
Coro<> transfer(Lock& from, Lock& to) {
  auto move = []() -> Coro<> { co_return; };
  auto with_source = [&]() -> Coro<> {
    co_await sleep(10ms);
    co_await with(to, move);
  };
  co_await with(from, with_source);
}

Coro<> program() {
  Lock first, second;
  co_await gather(transfer(first, second), transfer(second, first));
}

int main() {
  try {
    testing::run_simulated(program);
  } catch (const RuntimeError& error) {
    std::cout << error.what() << "\n";
  }
}
// [/deadlock]
