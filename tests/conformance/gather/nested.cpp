// SPDX-License-Identifier: BSL-1.0
// A gather is a future: it can be an argument of another gather.
#include "python.hpp"

using namespace py;

Coro<int> job(int v) {
  co_await asyncio::sleep(0s);
  print("job", v);
  co_return v;
}

Coro<> main_() {
  auto inner = asyncio::gather(job(1), job(2));
  auto [a, b, cd] = co_await asyncio::gather(job(3), inner, asyncio::gather(job(4), job(5)));
  auto [c, d] = cd;
  print(a, sum(b), c, d);
}

int main() { asyncio::run(main_()); }
