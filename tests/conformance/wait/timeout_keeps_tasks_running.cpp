// SPDX-License-Identifier: BSL-1.0
// wait(timeout=) raises nothing and cancels nothing: the unfinished tasks come back as pending.
#include "python.hpp"

using namespace py;

Coro<std::string> blocked(asyncio::Event& gate) {
  co_await gate.wait();
  co_return "finished";
}

Coro<std::string> quick() { co_return "quick"; }

Coro<> main_() {
  asyncio::Event gate;
  auto t = asyncio::create_task(blocked(gate));
  auto q = asyncio::create_task(quick());
  auto [done, pending] = co_await asyncio::wait(list(t, q), 10ms);
  print("done has quick:", in(q, done), len(done), "; pending has blocked:", in(t, pending));
  print("cancelled:", t.cancelled(), "cancelling:", t.cancelling());
  gate.set();
  print(co_await t);
}

int main() { asyncio::run(main_()); }
