// SPDX-License-Identifier: BSL-1.0
// Gather over futures that are all done is itself done on return, no loop turn needed.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto a = loop.create_future<std::string>();
  auto b = loop.create_future<std::string>();
  a.set_result("A");
  b.set_result("B");
  auto g = asyncio::gather(a, b);
  print("done on return:", g.done());
  loop.call_soon(print, "callback");
  print(unpack(co_await g));
  auto c = loop.create_future<std::string>();
  c.set_exception(ValueError("c"));
  g = asyncio::gather(a, c);
  print("failed on return:", g.done(), type_name(g.exception()));
  co_await asyncio::sleep(0s);
}

int main() { asyncio::run(main_()); }
