// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [failures]
Coro<int> risky_operation(int i) {
  co_await sleep(10ms);
  if (i % 4 == 3) throw ValueError("operation " + std::to_string(i) + " failed");
  co_return 10 * i;
}

Coro<> program() {
  std::vector<Coro<int>> operations;
  for (int i = 0; i < 10; ++i) operations.push_back(risky_operation(i));
  auto results = co_await gather(return_exceptions, std::move(operations));
  for (const auto& result : results) {
    if (result.has_exception())
      std::cout << describe_exception(result.exception()) << "\n";
    else
      std::cout << *result << "\n";
  }
}
// [/failures]

int main() { run(program()); }
