// SPDX-License-Identifier: BSL-1.0
// Leaving the group waits for every child; results are read from the tasks afterwards.
#include "python.hpp"

using namespace py;

Coro<std::string> job(std::string name, int turns) {
  for (int i = 0; i < turns; ++i) co_await asyncio::sleep(0s);
  print(name, "done");
  co_return upper(name);
}

Coro<> main_() {
  std::optional<asyncio::Task<std::string>> a, b;
  co_await asyncio::with(asyncio::TaskGroup(), [&](asyncio::TaskGroup& tg) {
    a = tg.create_task(job("a", 3));
    b = tg.create_task(job("b", 1));
    print("body ends");
  });
  print("group left:", a->result(), b->result());
}

int main() { asyncio::run(main_()); }
