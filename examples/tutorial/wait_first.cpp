// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [wait]
Coro<std::string> ask(std::string mirror, Delay answers_after) {
  co_await sleep(answers_after);
  co_return mirror;
}

Coro<> program() {
  std::vector<Task<std::string>> tasks;
  tasks.push_back(create_task(ask, "slow mirror", 300ms));
  tasks.push_back(create_task(ask, "fast mirror", 100ms));
  tasks.push_back(create_task(ask, "other mirror", 200ms));

  auto [done, pending] = co_await wait(tasks, FIRST_COMPLETED);
  std::cout << co_await done.front() << " was first\n";
  std::cout << pending.size() << " still run; wait cancels nothing\n";

  for (auto& task : pending) task.cancel();
  co_await wait(pending);
  std::cout << "now they have ended, too\n";
}
// [/wait]

int main() { run(program()); }
