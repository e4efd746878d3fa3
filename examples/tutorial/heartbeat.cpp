// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [heartbeat]
Coro<> heartbeat() {
  while (true) {
    std::cout << "ping\n";
    co_await sleep(20s);
  }
}

Coro<> conversation() {
  for (int message = 1; message <= 3; ++message) {
    co_await sleep(15s);
    std::cout << "message " << message << "\n";
  }
}

Coro<> connection() {
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
    group.create_task(heartbeat);
    co_await conversation();
    group.cancel();
  });
  std::cout << "connection closed, no heartbeat left\n";
}
// [/heartbeat]

int main() { run(connection()); }
