// SPDX-License-Identifier: BSL-1.0
// read, readline, readexactly, readuntil and read-to-EOF on a StreamReader fed by hand.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  asyncio::StreamReader r;
  r.feed_data("head\nbody|tail|12345rest");
  std::string line = co_await r.readline();
  print(strip(line));
  std::string body = co_await r.readuntil("|");
  std::string tail = co_await r.readuntil("|");
  print(body, tail);
  print(co_await r.readexactly(5));
  print(co_await r.read(2));
  r.feed_eof();
  std::string rest = co_await r.read();
  print(rest, r.at_eof());
  std::string after = co_await r.read(10);
  std::string after_line = co_await r.readline();
  print(after.size(), after_line.size());
}

int main() { asyncio::run(main_()); }
