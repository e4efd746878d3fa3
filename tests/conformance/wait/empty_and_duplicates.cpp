// SPDX-License-Identifier: BSL-1.0
// wait() refuses an empty collection with ValueError; a task given twice is waited for, and
// returned, once.
#include "python.hpp"

using namespace py;

Coro<std::string> job() {
  co_await asyncio::sleep(0s);
  co_return "ran";
}

Coro<> main_() {
  try {
    co_await asyncio::wait(std::vector<asyncio::Task<>>());
  } catch (const ValueError&) {
    print("ValueError");
  }
  auto t = asyncio::create_task(job());
  auto [done, pending] = co_await asyncio::wait(t, t);
  print(len(done), len(pending), t.result());
}

int main() { asyncio::run(main_()); }
