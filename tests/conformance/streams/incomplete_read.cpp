// SPDX-License-Identifier: BSL-1.0
// EOF in the middle of readexactly/readuntil throws IncompleteReadError with what was read;
// readline returns the partial line.
#include "python.hpp"

using namespace py;

asyncio::StreamReader reader(std::string_view data) {
  asyncio::StreamReader r;
  r.feed_data(data);
  r.feed_eof();
  return r;
}

Coro<> main_() {
  try {
    co_await reader("abc").readexactly(10);
  } catch (const asyncio::IncompleteReadError& e) {
    print("readexactly:", e.partial, "expected", e.expected);
  }
  try {
    co_await reader("no separator").readuntil("|");
  } catch (const asyncio::IncompleteReadError& e) {
    print("readuntil:", e.partial, "expected", e.expected);
  }
  std::string line = co_await reader("partial").readline();
  print("readline:", line);
}

int main() { asyncio::run(main_()); }
