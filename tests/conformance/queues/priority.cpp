// SPDX-License-Identifier: BSL-1.0
// PriorityQueue hands out the smallest entry first.
#include "python.hpp"

using namespace py;

using Entry = std::pair<int, std::string>;

Coro<> main_() {
  asyncio::PriorityQueue<Entry> q;
  std::vector<Entry> entries{{3, "low"}, {1, "urgent"}, {2, "normal"}, {1, "also urgent"}};
  for (const Entry& entry : entries) co_await q.put(entry);
  while (!q.empty()) {
    auto [prio, name] = co_await q.get();
    print(prio, name);
  }
}

int main() { asyncio::run(main_()); }
