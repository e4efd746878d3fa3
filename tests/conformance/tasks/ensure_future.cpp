// SPDX-License-Identifier: BSL-1.0
// ensure_future wraps a coroutine into a task and returns a future or task as it is.
#include "python.hpp"

using namespace py;

Coro<std::string> job() {
  print("job runs");
  co_return "result";
}

Coro<> main_() {
  auto fut = asyncio::get_running_loop().create_future();
  print("future unchanged:", asyncio::ensure_future(fut) == fut);
  auto t = asyncio::ensure_future(job());
  print("task:", isinstance<asyncio::Task>(t), "unchanged:", asyncio::ensure_future(t) == t);
  print(co_await t);
  fut.cancel();
}

int main() { asyncio::run(main_()); }
