// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [runs]
Coro<> first() {
  std::cout << "first, " << all_tasks().size() << " task\n";
  co_return;
}

Coro<> second() {
  std::cout << "second, " << all_tasks().size() << " task\n";
  co_return;
}

Coro<> nested() {
  auto inner = first();
  try {
    run(std::move(inner));
  } catch (const RuntimeError& e) {
    std::cout << e.what() << "\n";
  }
  co_await first();
}
// [/runs]

// [runner]
Coro<> ticker() {
  for (int tick = 1;; ++tick) {
    std::cout << "tick " << tick << "\n";
    co_await sleep(10ms);
  }
}

Coro<Task<>> start_ticker() { co_return create_task(ticker); }

Coro<> use() { co_await sleep(15ms); }

void several_on_one_loop() {
  Runner runner;
  Task<> background = runner.run(start_ticker());
  std::cout << "between two runs everything stands still\n";
  runner.run(use());
  std::cout << "still running: " << std::boolalpha << !background.done() << "\n";
  runner.close();
  std::cout << "after close: cancelled " << background.cancelled() << "\n";
}
// [/runner]

int main() {
  set_log_handler([](const LogRecord&) {});
  run(first());
  run(second());
  run(nested());
  several_on_one_loop();
}
