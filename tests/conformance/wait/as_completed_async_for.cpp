// SPDX-License-Identifier: BSL-1.0
// Async iteration over as_completed yields the original task objects, done, in completion
// order.
#include "python.hpp"

using namespace py;

Coro<int> job(int turns) {
  for (int i = 0; i < turns; ++i) co_await asyncio::sleep(0s);
  co_return turns;
}

Coro<> main_() {
  std::vector<asyncio::Task<int>> ts;
  for (int n : {8, 0, 4})
    ts.push_back(asyncio::create_task(job(n), asyncio::TaskOptions().name(f("t{}", n))));
  auto completed = asyncio::as_completed(ts);
  while (auto t = co_await completed.next())
    print(t->get_name(), "done:", t->done(), "mine:", in(*t, ts), "result:", t->result());
}

int main() { asyncio::run(main_()); }
