// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [batch]
Coro<std::string> query_user(int id, Semaphore& connections) {
  co_return co_await with(connections, [&]() -> Coro<std::string> {
    co_await sleep(100ms);
    co_return "user " + std::to_string(id);
  });
}

Coro<> program() {
  Semaphore connections(5);
  auto begin = get_running_loop().time();
  std::vector<Coro<std::string>> queries;
  for (int id = 1; id <= 10; ++id) queries.push_back(query_user(id, connections));
  auto users = co_await gather(std::move(queries));
  std::cout << users.size() << " users, first " << users.front() << ", in "
            << (get_running_loop().time() - begin) / 1ms << " ms\n";
}
// [/batch]

int main() { run(program()); }
