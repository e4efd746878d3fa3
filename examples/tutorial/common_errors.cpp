// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <stdexcept>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [errors]
Coro<std::string> fetch_data() { co_return "data"; }

// A plain function: fine, as long as a loop runs in this thread.
Task<std::string> start_fetch() { return create_task(fetch_data); }

Coro<> fails() {
  co_await sleep(1ms);
  throw std::runtime_error("nobody asked");
}

Coro<> program() {
  std::cout << co_await start_fetch() << "\n";

  auto inner = fetch_data();
  try {
    run(std::move(inner));
  } catch (const RuntimeError& e) {
    std::cout << "nested: " << e.what() << "\n";
  }

  create_task(fails());
  co_await sleep(2ms);
}

int main() {
  set_log_handler([](const LogRecord& record) {
    std::cout << level_name(record.level) << ": " << record.message << "\n";
  });
  try {
    create_task(fetch_data);
  } catch (const RuntimeError& e) {
    std::cout << "outside: " << e.what() << "\n";
  }
  run(program());
}
// [/errors]
