// SPDX-License-Identifier: BSL-1.0
// wait_for returns the awaitable's result and lets its exception through.
#include "python.hpp"

using namespace py;

Coro<std::string> ok() {
  co_await asyncio::sleep(0s);
  co_return "result";
}

Coro<> bad() {
  co_await asyncio::sleep(0s);
  throw ValueError("bad");
}

Coro<> main_() {
  print(co_await asyncio::wait_for(ok(), 10s));
  print(co_await asyncio::wait_for(ok(), std::nullopt));
  try {
    co_await asyncio::wait_for(bad(), 10s);
  } catch (const ValueError& e) {
    print("ValueError", e);
  }
  auto fut = asyncio::get_running_loop().create_future<std::string>();
  fut.set_result("ready");
  print(co_await asyncio::wait_for(fut, 0s));
}

int main() { asyncio::run(main_()); }
