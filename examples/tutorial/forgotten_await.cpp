// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;

Coro<int> fetch() {
  std::cout << "fetch runs\n";
  co_return 42;
}

Coro<> program() {
  auto coro = fetch();
  std::cout << "created, and nothing has run\n";
  int value = co_await std::move(coro);
  std::cout << value << "\n";

  auto forgotten = fetch();
}

int main() {
  set_log_handler([](const LogRecord& record) {
    std::cout << level_name(record.level) << ": " << record.message << "\n";
  });
  run(program());
}
