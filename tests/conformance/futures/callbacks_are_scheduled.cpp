// SPDX-License-Identifier: BSL-1.0
// Done callbacks never run inside set_result: they are queued, behind what is already queued.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto fut = loop.create_future<std::string>();
  fut.add_done_callback([](auto f) { print("callback 1", f.result()); });
  fut.add_done_callback([&](auto f) { print("callback 2", f == fut); });
  loop.call_soon(print, "queued before");
  fut.set_result("r");
  loop.call_soon(print, "queued after");
  print("set_result returned");
  co_await asyncio::sleep(0s);
  print("end");
}

int main() { asyncio::run(main_()); }
