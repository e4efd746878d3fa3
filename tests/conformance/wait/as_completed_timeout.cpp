// SPDX-License-Identifier: BSL-1.0
// After the timeout every remaining await raises TimeoutError; the tasks themselves are not
// cancelled.
#include "python.hpp"

using namespace py;

Coro<std::string> quick() { co_return "quick"; }

Coro<std::string> blocked(asyncio::Event& gate) {
  co_await gate.wait();
  co_return "late";
}

Coro<> main_() {
  asyncio::Event gate;
  auto q = asyncio::create_task(quick());
  auto b1 = asyncio::create_task(blocked(gate));
  auto b2 = asyncio::create_task(blocked(gate));
  co_await q;
  for (auto& nxt : asyncio::as_completed(list(q, b1, b2), 20ms)) {
    try {
      print("result", co_await std::move(nxt));
    } catch (const TimeoutError&) {
      print("TimeoutError");
    }
  }
  print("cancelled:", b1.cancelled(), b2.cancelled());
  gate.set();
  auto late1 = co_await b1;
  print(late1, co_await b2);
}

int main() { asyncio::run(main_()); }
