// SPDX-License-Identifier: BSL-1.0
// An exception in a done callback goes to the loop's exception handler; the other callbacks and
// the waiters are served.
#include "python.hpp"

using namespace py;

void handler(asyncio::EventLoop, const asyncio::ExceptionContext& context) {
  print("handler:", type_name(context.exception), context.exception);
}

void broken(asyncio::Future<std::string>) { throw RuntimeError("callback broke"); }

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  loop.set_exception_handler(handler);
  auto fut = loop.create_future<std::string>();
  fut.add_done_callback(broken);
  fut.add_done_callback([](auto) { print("second callback"); });
  loop.call_soon([&] { fut.set_result("v"); });
  print("await:", co_await fut);
}

int main() { asyncio::run(main_()); }
