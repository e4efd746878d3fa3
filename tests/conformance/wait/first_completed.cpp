// SPDX-License-Identifier: BSL-1.0
// FIRST_COMPLETED returns as soon as one is done; the rest stay pending and keep running.
#include "python.hpp"

using namespace py;

Coro<int> job(int n) {
  for (int i = 0; i < n; ++i) co_await asyncio::sleep(0s);
  co_return n;
}

std::string names(const std::vector<asyncio::Task<int>>& ts) {
  auto joined = join(",", sorted(map([](const auto& t) { return t.get_name(); }, ts)));
  return joined.empty() ? "-" : joined;
}

Coro<> main_() {
  std::vector<asyncio::Task<int>> ts;
  for (int n : {1, 5, 9})
    ts.push_back(asyncio::create_task(job(n), asyncio::TaskOptions().name(f("j{}", n))));
  while (!ts.empty()) {
    auto [done, pending] = co_await asyncio::wait(ts, asyncio::FIRST_COMPLETED);
    ts = pending;
    print("done:", names(done), "pending:", names(ts));
  }
}

int main() { asyncio::run(main_()); }
