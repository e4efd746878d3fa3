// SPDX-License-Identifier: BSL-1.0
// A Barrier lets its parties go together; exactly one of them gets index 0, and it can be used
// again.
#include "python.hpp"

using namespace py;

Coro<> party(char name, asyncio::Barrier& barrier, std::vector<int>& log) {
  print(name, "arrives; waiting:", barrier.n_waiting());
  int i = co_await barrier.wait();
  log.push_back(i);
}

Coro<> main_() {
  asyncio::Barrier barrier(3);
  print("parties:", barrier.parties());
  for (int rnd : range(1, 3)) {
    std::vector<int> log;
    auto parties = map([&](char n) { return party(n, barrier, log); }, "abc"s);
    co_await asyncio::gather(std::move(parties));
    print("round", rnd, "indices:", unpack(sorted(log)), "waiting:", barrier.n_waiting(),
          "broken:", barrier.broken());
  }
}

int main() { asyncio::run(main_()); }
