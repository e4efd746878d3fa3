// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [status]
Coro<std::string> fetch_data() {
  co_await sleep(10ms);
  co_return "data";
}

Coro<> program() {
  std::cout << std::boolalpha;
  auto task = create_task(TaskOptions().name("fetcher"), fetch_data);
  std::cout << task.get_name() << " done: " << task.done() << "\n";
  try {
    task.result();
  } catch (const InvalidStateError& e) {
    std::cout << "too early: " << e.what() << "\n";
  }
  co_await task;
  std::cout << task.get_name() << " done: " << task.done() << "\n";
  std::cout << "cancelled: " << task.cancelled() << "\n";
  std::cout << "result: " << task.result() << "\n";
}
// [/status]

int main() { run(program()); }
