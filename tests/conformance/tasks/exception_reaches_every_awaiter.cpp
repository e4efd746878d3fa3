// SPDX-License-Identifier: BSL-1.0
// A failed task stores its exception and gives it to every awaiter, as often as it is asked.
#include "python.hpp"

using namespace py;

Coro<> bad() {
  throw ValueError("x");
  co_return;
}

Coro<std::exception_ptr> watch(std::string name, asyncio::Task<> t) {
  try {
    co_await t;
  } catch (const ValueError& e) {
    print(name, "caught", e);
    co_return std::current_exception();
  }
  co_return nullptr;
}

Coro<> main_() {
  auto t = asyncio::create_task(bad());
  auto a = asyncio::create_task(watch("a", t));
  auto b = asyncio::create_task(watch("b", t));
  auto ea = co_await a;
  auto eb = co_await b;
  print("same object:", ea == eb, ea == t.exception());
  print("again:", co_await watch("main", t) == ea);
}

int main() { asyncio::run(main_()); }
