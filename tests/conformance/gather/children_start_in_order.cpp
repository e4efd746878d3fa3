// SPDX-License-Identifier: BSL-1.0
// Gather wraps its coroutines into tasks in argument order, they start when the caller awaits,
// and interleave per step.
#include "python.hpp"

using namespace py;

Coro<> job(std::string name) {
  print(name, "1");
  co_await asyncio::sleep(0s);
  print(name, "2");
}

Coro<> main_() {
  auto g = asyncio::gather(job("a"), job("b"), job("c"));
  print("gather created; done:", g.done(), "tasks:", len(asyncio::all_tasks()));
  co_await g;
  print("gather done:", g.done());
}

int main() { asyncio::run(main_()); }
