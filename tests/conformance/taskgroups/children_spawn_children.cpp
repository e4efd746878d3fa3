// SPDX-License-Identifier: BSL-1.0
// While the group is being left, running children may still add tasks to it, and those are
// waited for.
#include "python.hpp"

using namespace py;

Coro<> tree(asyncio::TaskGroup& tg, int depth) {
  print("node", depth);
  if (depth < 3) tg.create_task(tree(tg, depth + 1));
  co_await asyncio::sleep(0s);
}

Coro<> main_() {
  co_await asyncio::with(asyncio::TaskGroup(), [](asyncio::TaskGroup& tg) {
    tg.create_task(tree(tg, 0));
    print("body ends");
  });
  print("group left");
}

int main() { asyncio::run(main_()); }
