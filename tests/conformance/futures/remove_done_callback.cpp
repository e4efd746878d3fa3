// SPDX-License-Identifier: BSL-1.0
// remove_done_callback removes every registration of that callback and returns how many.
#include "python.hpp"

using namespace py;

void a(asyncio::Future<>) { print("a"); }

void b(asyncio::Future<>) { print("b"); }

Coro<> main_() {
  auto fut = asyncio::get_running_loop().create_future();
  fut.add_done_callback(a);
  fut.add_done_callback(b);
  fut.add_done_callback(a);
  auto removed = fut.remove_done_callback(a);
  print("removed:", removed, "then:", fut.remove_done_callback(a));
  fut.set_result();
  co_await asyncio::sleep(0s);
  print("end");
}

int main() { asyncio::run(main_()); }
