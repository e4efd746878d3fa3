// SPDX-License-Identifier: BSL-1.0
// wait() returns (done, pending) when all are finished and raises none of their exceptions.
#include "python.hpp"

using namespace py;

Coro<int> ok() {
  co_await asyncio::sleep(0s);
  co_return 1;
}

Coro<> bad() {
  throw ValueError("kept");
  co_return;
}

std::string names(const std::vector<asyncio::TaskHandle>& ts) {
  auto joined = join(",", sorted(map([](const auto& t) { return t.get_name(); }, ts)));
  return joined.empty() ? "-" : joined;
}

Coro<> main_() {
  std::vector<asyncio::TaskHandle> ts{
      asyncio::create_task(ok(), asyncio::TaskOptions().name("ok")),
      asyncio::create_task(bad(), asyncio::TaskOptions().name("bad")),
  };
  auto [done, pending] = co_await asyncio::wait(ts);
  print("done:", names(done), "pending:", names(pending));
  print("bad's exception:", type_name(ts[1].exception()));
}

int main() { asyncio::run(main_()); }
