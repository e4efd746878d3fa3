// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>
#include <thread>

using namespace asyncio;
using namespace std::chrono_literals;

// [debug]
Coro<> greet(const std::string& name) {
  co_await sleep(1ms);
  std::cout << "hello " << name << "\n";
}

Coro<> program() {
  EventLoop loop = get_running_loop();
  std::cout << "debug: " << std::boolalpha << loop.get_debug() << "\n";

  std::string name = "world";
  auto task = create_task(greet(name));
  co_await task;

  std::jthread([loop]() mutable {
    try {
      loop.call_soon([] {});
    } catch (const RuntimeError& e) {
      std::cout << "another thread: " << e.what() << "\n";
    }
  });
}

int main() {
  set_log_handler([](const LogRecord& record) {
    std::cout << level_name(record.level) << ": " << record.message << "\n";
  });
  run(program(), RunOptions().debug(true));
}
// [/debug]
