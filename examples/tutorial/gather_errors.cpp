// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [errors]
Coro<std::string> slow() {
  co_await sleep(2s);
  std::cout << "slow has ended\n";
  co_return "slow";
}

Coro<std::string> failing() {
  co_await sleep(1s);
  throw ValueError("failing failed");
}

Coro<> program() {
  auto task = create_task(slow);
  try {
    co_await gather(task, failing());
  } catch (const ValueError& e) {
    std::cout << e.what() << "; slow done: " << std::boolalpha << task.done() << "\n";
  }
  co_await task;

  auto [first, second] = co_await gather(return_exceptions, slow(), failing());
  std::cout << *first << "; " << second.holds<ValueError>() << "\n";
}
// [/errors]

int main() { run(program()); }
