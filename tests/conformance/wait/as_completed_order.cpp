// SPDX-License-Identifier: BSL-1.0
// as_completed yields in completion order; each awaitable gives the next result.
#include "python.hpp"

using namespace py;

Coro<std::string> job(std::string name, int turns) {
  for (int i = 0; i < turns; ++i) co_await asyncio::sleep(0s);
  co_return name;
}

Coro<> main_() {
  std::vector<asyncio::Task<std::string>> ts{
      asyncio::create_task(job("slow", 9)),
      asyncio::create_task(job("fast", 1)),
      asyncio::create_task(job("mid", 5)),
  };
  for (auto& next_done : asyncio::as_completed(ts)) print(co_await std::move(next_done));
  print("all seen");
}

int main() { asyncio::run(main_()); }
