// SPDX-License-Identifier: BSL-1.0
// to_thread runs in a worker thread, passes arguments and sees a copy of the caller's context
// variables.
#include "python.hpp"
#include "python_threading.hpp"

using namespace py;

asyncio::ContextVar<std::string> var("var", "unset");

std::tuple<int, std::string, bool> work(int a, int b) {
  std::string seen = var.get();
  var.set("changed in thread");
  return {a + b, seen, threading::current_thread() == threading::main_thread()};
}

Coro<> main_() {
  var.set("from main");
  auto [total, seen, in_main] = co_await asyncio::to_thread(work, 2, 3);
  print("sum:", total, "; var in thread:", seen, "; main thread:", in_main);
  print("var in main afterwards:", var.get());
}

int main() { asyncio::run(main_()); }
