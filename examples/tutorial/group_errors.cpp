// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <stdexcept>
#include <string>

using namespace asyncio;

// [handlers]
Coro<> fail_with_value() {
  throw ValueError("a bad value");
  co_return;
}

Coro<> fail_with_type() {
  throw TypeError("a bad type");
  co_return;
}

Coro<> program() {
  auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task(fail_with_value);
    group.create_task(fail_with_type);
    group.create_task(fail_with_value);
    co_return;
  };
  try {
    co_await with(TaskGroup(), body);
  } catch (const ExceptionGroup& group) {
    handle_group(
        group,
        on<ValueError>([](const ExceptionGroup& part) {
          std::cout << part.exceptions().size() << " ValueErrors\n";
        }),
        on<std::exception>([](const ExceptionGroup& part) { std::cout << part.tree() << "\n"; }));
  }
}
// [/handlers]

int main() { run(program()); }
