// SPDX-License-Identifier: BSL-1.0
// FIRST_EXCEPTION returns at the first exception; normal completions do not end the wait.
#include "python.hpp"

using namespace py;

Coro<std::string> ok() { co_return "ok"; }

Coro<> bad() {
  for (int i = 0; i < 3; ++i) co_await asyncio::sleep(0s);
  throw RuntimeError("bad");
}

Coro<> slow(asyncio::Event& gate) { co_await gate.wait(); }

std::string names(const std::vector<asyncio::TaskHandle>& ts) {
  auto joined = join(",", sorted(map([](const auto& t) { return t.get_name(); }, ts)));
  return joined.empty() ? "-" : joined;
}

Coro<> main_() {
  asyncio::Event gate;
  std::vector<asyncio::TaskHandle> ts{
      asyncio::create_task(ok(), asyncio::TaskOptions().name("ok")),
      asyncio::create_task(bad(), asyncio::TaskOptions().name("bad")),
      asyncio::create_task(slow(gate), asyncio::TaskOptions().name("slow")),
  };
  auto [done, pending] = co_await asyncio::wait(ts, asyncio::FIRST_EXCEPTION);
  print("done:", names(done), "pending:", names(pending));
  gate.set();
  co_await ts[2];
  print("slow was not cancelled:", !ts[2].cancelled());
}

int main() { asyncio::run(main_()); }
