// SPDX-License-Identifier: BSL-1.0
// With the eager task factory a task runs inside create_task up to its first suspension; one
// that never suspends is done on return.
#include "python.hpp"

using namespace py;

std::optional<asyncio::TaskHandle> main_task;

Coro<std::string> no_suspend() {
  print("no_suspend runs in main's task:", asyncio::current_task() == main_task);
  co_return "instant";
}

Coro<std::string> suspends() {
  print("suspends: part 1");
  co_await asyncio::sleep(0s);
  print("suspends: part 2");
  co_return "later";
}

Coro<> main_() {
  main_task = asyncio::current_task();
  asyncio::get_running_loop().set_task_factory(asyncio::eager_task_factory);
  auto a = asyncio::create_task(no_suspend());
  print("a done:", a.done(), a.result());
  auto b = asyncio::create_task(suspends());
  print("b done:", b.done(), "current is main:", asyncio::current_task() == main_task);
  print("b:", co_await b);
}

int main() { asyncio::run(main_()); }
