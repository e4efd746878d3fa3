// SPDX-License-Identifier: BSL-1.0
// The first exception reaches the awaiter at once; the other children are not cancelled and
// finish later.
#include "python.hpp"

using namespace py;

Coro<> failing() {
  co_await asyncio::sleep(0s);
  throw ValueError("first");
}

Coro<std::string> steady(int n) {
  for (int i = 0; i < n; ++i) co_await asyncio::sleep(0s);
  print("steady finished");
  co_return "steady result";
}

Coro<> main_() {
  auto s = asyncio::create_task(steady(6));
  try {
    co_await asyncio::gather(s, failing());
  } catch (const ValueError& e) {
    print("caught", e, "; steady done:", s.done(), "cancelled:", s.cancelled());
  }
  print(co_await s);
}

int main() { asyncio::run(main_()); }
