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

void report_values(const ExceptionGroup& part) {
  std::cout << part.exceptions().size() << " ValueErrors\n";
}

void report_others(const ExceptionGroup& part) { std::cout << part.tree(); }

Coro<> program() {
  try {
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(fail_with_value);
      group.create_task(fail_with_type);
      group.create_task(fail_with_value);
      co_return;
    });
  } catch (const ExceptionGroup& group) {
    handle_group(group, on<ValueError>(report_values), on<std::exception>(report_others));
  }
}
// [/handlers]

int main() { run(program()); }
