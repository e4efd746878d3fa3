// SPDX-License-Identifier: BSL-1.0
// Seed 2: awaiting a task gives its result; the task object itself is not the result (nor, as
// the seed says, a coroutine object).
#include "python.hpp"

using namespace py;

Coro<std::string> say_hello() {
  co_await asyncio::sleep(10ms);
  co_return "Hello";
}

Coro<std::string> say_world() {
  co_await asyncio::sleep(10ms);
  co_return "World";
}

Coro<> main_() {
  auto task1 = asyncio::create_task(say_hello());
  auto task2 = asyncio::create_task(say_world());
  print("is a Task:", isinstance<asyncio::Task>(task2));
  print(co_await task1);
  print(co_await task2);
}

int main() { asyncio::run(main_()); }
