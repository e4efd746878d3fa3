// SPDX-License-Identifier: BSL-1.0
// A separator not found within the limit throws LimitOverrunError (readuntil) or ValueError
// (readline).
#include "python.hpp"

using namespace py;

Coro<> main_() {
  asyncio::StreamReader r(4);
  r.feed_data("much too long\nnext\n");
  try {
    co_await r.readuntil("\n");
  } catch (const asyncio::LimitOverrunError& e) {
    print("LimitOverrunError; consumed:", e.consumed);
  }
  try {
    co_await r.readline();
  } catch (const asyncio::ValueError&) {
    print("readline: ValueError");
  }
  std::string line = co_await r.readline();
  print("the long line was dropped:", strip(line));
}

int main() { asyncio::run(main_()); }
