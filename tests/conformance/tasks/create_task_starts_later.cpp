// SPDX-License-Identifier: BSL-1.0
// create_task only schedules: the body starts when the creator next suspends, in creation
// order.
#include "python.hpp"

using namespace py;

Coro<std::string> job(std::string name) {
  print(name, "starts");
  co_return name;
}

Coro<> main_() {
  auto a = asyncio::create_task(job("a"));
  auto b = asyncio::create_task(job("b"));
  print("created; done:", a.done(), b.done());
  auto c = asyncio::create_task(job("c"));
  co_await asyncio::sleep(0s);
  print("after one suspension; done:", a.done(), b.done(), c.done());
  print(a.result(), b.result(), c.result());
}

int main() { asyncio::run(main_()); }
