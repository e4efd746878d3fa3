// SPDX-License-Identifier: BSL-1.0
// set_result wakes all waiters, in order, one loop iteration later.
#include "python.hpp"

using namespace py;

Coro<> waiter(char name, asyncio::Future<int> fut) { print(name, "got", co_await fut); }

Coro<> main_() {
  auto fut = asyncio::get_running_loop().create_future<int>();
  std::vector<asyncio::Task<>> ts;
  for (char n : "abc"s) ts.push_back(asyncio::create_task(waiter(n, fut)));
  co_await asyncio::sleep(0s);
  fut.set_result(11);
  print("set; done:", fut.done(), "result:", fut.result());
  co_await asyncio::gather(ts);
}

int main() { asyncio::run(main_()); }
