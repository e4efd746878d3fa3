// SPDX-License-Identifier: BSL-1.0
// An exception in the generator comes out of the async for; the generator is finished
// afterwards.
#include "python.hpp"

using namespace py;

asyncio::AsyncGenerator<int> source() {
  Finally last([] { print("source finally"); });
  co_yield 1;
  co_await asyncio::sleep(0s);
  throw ValueError("source broke");
}

Coro<> main_() {
  auto gen = source();
  try {
    while (auto x = co_await gen.next()) print("got", *x);
  } catch (const ValueError& e) {
    print("ValueError:", e);
  }
  while (auto x = co_await gen.next()) print("never");
  print("exhausted");
}

int main() { asyncio::run(main_()); }
