// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [values]
Coro<std::unique_ptr<std::string>> make() {
  co_await sleep(1ms);
  co_return std::make_unique<std::string>("move-only");
}

Coro<std::vector<int>> numbers() {
  std::vector<int> result(1000, 7);
  co_return result;
}

Coro<> program() {
  // A coroutine is awaited once, and is moved into the await.
  auto coro = make();
  auto text = co_await std::move(coro);
  std::cout << *text << "\n";

  // A task keeps its result: awaiting the variable gives a const reference to it ...
  auto task = create_task(numbers);
  const std::vector<int>& shared = co_await task;
  std::cout << shared.size() << " numbers, the same again: " << (co_await task).size() << "\n";

  // ... and awaiting the handle itself moves the value out, if this was the last handle.
  std::vector<int> mine = co_await std::move(task);
  std::cout << "mine: " << mine.size() << "\n";

  // So does awaiting a new task at once, and results may be move-only.
  auto again = co_await create_task(make);
  auto [first, second] = co_await gather(make(), make());
  std::cout << *again << ", " << *first << ", " << *second << "\n";
}
// [/values]

int main() { run(program()); }
