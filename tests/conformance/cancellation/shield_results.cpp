// SPDX-License-Identifier: BSL-1.0
// Shield passes the inner result or exception through, and is cancelled when the inner task is
// cancelled.
#include "python.hpp"

using namespace py;

Coro<std::string> job(std::string kind) {
  co_await asyncio::sleep(0s);
  if (kind == "error") throw ValueError("from inner");
  if (kind == "hang") co_await asyncio::Event().wait();
  co_return "value";
}

Coro<> main_() {
  print(co_await asyncio::shield(job("value")));
  try {
    co_await asyncio::shield(job("error"));
  } catch (const ValueError& e) {
    print("ValueError", e);
  }
  auto t = asyncio::create_task(job("hang"));
  auto s = asyncio::shield(t);
  co_await asyncio::sleep(0s);
  t.cancel();
  try {
    co_await s;
  } catch (const asyncio::CancelledError&) {
    print("inner cancelled -> CancelledError; shield cancelled:", s.cancelled());
  }
}

int main() { asyncio::run(main_()); }
