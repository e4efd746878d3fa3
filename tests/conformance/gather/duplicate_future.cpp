// SPDX-License-Identifier: BSL-1.0
// A future given twice is run once and its result fills both places.
#include "python.hpp"

using namespace py;

int runs = 0;

Coro<std::string> job() {
  runs += 1;
  int mine = runs;
  co_await asyncio::sleep(0s);
  co_return f("x{}", mine);
}

Coro<> main_() {
  auto t = asyncio::create_task(job());
  auto u = asyncio::create_task(job());
  print(unpack(co_await asyncio::gather(t, u, t, t)));
  print("runs:", runs);
}

int main() { asyncio::run(main_()); }
