// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [coroutines]
Coro<std::string> job() {
  std::cout << "job starts\n";
  co_await sleep(20ms);
  std::cout << "job ends\n";
  co_return "the result of job";
}

Coro<> other_work() {
  std::cout << "other_work starts\n";
  co_await sleep(30ms);
  std::cout << "other_work ends\n";
}

Coro<> program() {
  Task<std::string> task = create_task(job);
  std::cout << "task created; nothing of it has run\n";
  co_await other_work();
  std::cout << "task done: " << std::boolalpha << task.done() << "\n";
  std::cout << co_await task << "\n";
}
// [/coroutines]

int main() { run(program()); }
