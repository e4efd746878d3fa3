// SPDX-License-Identifier: BSL-1.0
// A read waits for data and is resumed by feed_data; the bytes of several feeds are joined.
#include "python.hpp"

using namespace py;

Coro<> consumer(asyncio::StreamReader r) {
  std::string line = co_await r.readline();
  print("line:", strip(line));
  print("exact:", co_await r.readexactly(4));
  print("any:", co_await r.read(100));
}

Coro<> main_() {
  asyncio::StreamReader r;
  auto t = asyncio::create_task(consumer(r));
  for (const auto& part : {"hal"s, "f line\nab"s, "c"s, "d"s}) {
    co_await asyncio::sleep(0s);
    co_await asyncio::sleep(0s);
    print("feed", part.size());
    r.feed_data(part);
  }
  for (int i = 0; i < 3; ++i) co_await asyncio::sleep(0s);
  print("done:", t.done());
  r.feed_data("the rest");
  co_await t;
}

int main() { asyncio::run(main_()); }
