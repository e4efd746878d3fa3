// SPDX-License-Identifier: BSL-1.0
// current_task() is the running task and None inside a plain callback; all_tasks() lists the
// unfinished ones only.
#include "python.hpp"

using namespace py;

std::string names() {
  return join(",", sorted(map([](const auto& t) { return t.get_name(); }, asyncio::all_tasks())));
}

Coro<> child() {
  print("in child:", asyncio::current_task()->get_name());
  co_await asyncio::sleep(0s);
}

Coro<> main_() {
  asyncio::current_task()->set_name("main");
  auto c = asyncio::create_task(child(), asyncio::TaskOptions().name("child"));
  print("all:", names());
  auto loop = asyncio::get_running_loop();
  loop.call_soon([] { print("in callback:", asyncio::current_task()); });
  co_await asyncio::sleep(0s);
  print("back in:", asyncio::current_task()->get_name());
  co_await c;
  print("all:", names());
}

int main() { asyncio::run(main_()); }
