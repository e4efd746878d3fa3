// SPDX-License-Identifier: BSL-1.0
// A getter that is cancelled loses no item: the next getter receives it.
#include "python.hpp"

using namespace py;

Coro<> getter(char name, asyncio::Queue<std::string>& q) {
  try {
    print(name, "got", co_await q.get());
  } catch (const asyncio::CancelledError&) {
    print(name, "cancelled");
    throw;
  }
}

Coro<> main_() {
  asyncio::Queue<std::string> q;
  auto a = asyncio::create_task(getter('a', q));
  auto b = asyncio::create_task(getter('b', q));
  co_await asyncio::sleep(0s);
  a.cancel();
  co_await asyncio::wait(a);
  q.put_nowait("item");
  co_await b;
  print("size:", q.qsize());
}

int main() { asyncio::run(main_()); }
