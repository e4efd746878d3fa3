// SPDX-License-Identifier: BSL-1.0
// sleep(0) yields exactly once: tasks that loop on it take turns in creation order.
#include "python.hpp"

using namespace py;

Coro<> worker(std::string name, int n) {
  for (int i : range(n)) {
    print(name, i);
    co_await asyncio::sleep(0s);
  }
  print(name, "end");
}

Coro<> main_() {
  std::vector<asyncio::Task<>> tasks;
  for (auto [n, k] : list(std::pair("a", 3), std::pair("b", 1), std::pair("c", 2)))
    tasks.push_back(asyncio::create_task(worker(n, k)));
  for (auto& t : tasks) {
    co_await t;
    print("joined");
  }
}

int main() { asyncio::run(main_()); }
