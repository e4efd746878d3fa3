// SPDX-License-Identifier: BSL-1.0
// gather() of nothing is an already finished future with an empty list.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto g = asyncio::gather();
  print("done:", g.done());
  auto loop = asyncio::get_running_loop();
  loop.call_soon(print, "callback");
  print("result length:", len(co_await g));
  print("no suspension so far");
  co_await asyncio::sleep(0s);
}

int main() { asyncio::run(main_()); }
