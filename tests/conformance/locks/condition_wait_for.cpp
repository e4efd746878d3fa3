// SPDX-License-Identifier: BSL-1.0
// wait_for re-checks the predicate at every wake-up and returns its value.
#include "python.hpp"

using namespace py;

std::string stock;

Coro<> consumer(asyncio::Condition& cond) {
  co_await asyncio::with(cond, [&]() -> Coro<> {
    auto got = co_await cond.wait_for([] { return len(stock) >= 3 ? len(stock) : 0; });
    print("predicate value:", got);
  });
}

Coro<> main_() {
  asyncio::Condition cond;
  auto t = asyncio::create_task(consumer(cond));
  co_await asyncio::sleep(0s);
  for (char item : "xyz"s) {
    co_await asyncio::with(cond, [&] {
      stock.push_back(item);
      print("added", item);
      cond.notify_all();
    });
    for (int i = 0; i < 4; ++i) co_await asyncio::sleep(0s);
  }
  co_await t;
}

int main() { asyncio::run(main_()); }
