// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [cleaner]
Coro<> clean_cache() {
  while (true) {
    co_await sleep(60s);
    std::cout << "cache cleaned\n";
  }
}

Coro<> process_requests() {
  for (int request = 1; request <= 3; ++request) {
    co_await sleep(50s);
    std::cout << "request " << request << "\n";
  }
}

Coro<> program() {
  auto cleaner = create_task(clean_cache);
  co_await process_requests();
  cleaner.cancel();
  auto outcome = co_await capture(cleaner);
  std::cout << "cleaner cancelled: " << std::boolalpha << outcome.cancelled() << "\n";
}
// [/cleaner]

int main() { run(program()); }
