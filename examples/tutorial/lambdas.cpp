// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <functional>
#include <iostream>
#include <memory>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [lambdas]
Coro<> greet(const std::string& name) {
  co_await sleep(10ms);
  std::cout << "hello " << name << "\n";
}

Task<> start() {
  std::string name = "world";
  auto count = std::make_shared<int>(0);

  create_task(greet, name);  // the task owns a copy of name

  auto counting = [count](int by) -> Coro<> {
    co_await sleep(20ms);
    *count += by;
    std::cout << "count " << *count << "\n";
  };
  return create_task(counting, 5);  // the task owns a copy of the lambda
}

Coro<> program() {
  co_await start();

  std::string mine = "reference";
  co_await create_task(greet, std::ref(mine));  // mine outlives the task: we wait for it
}
// [/lambdas]

int main() { run(program()); }
