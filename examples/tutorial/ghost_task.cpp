// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [ghost]
Coro<> job() {
  std::cout << "job starts\n";
  try {
    co_await sleep(10s);
    std::cout << "job ends\n";
  } catch (const CancelledError&) {
    std::cout << "job is cancelled\n";
    throw;
  }
}

Coro<> program() {
  create_task(job);
  co_await sleep(1s);
  std::cout << "program ends\n";
}
// [/ghost]

int main() {
  run(program());
  std::cout << "run has returned\n";
}
