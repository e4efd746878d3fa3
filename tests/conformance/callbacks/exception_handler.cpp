// SPDX-License-Identifier: BSL-1.0
// An exception in a callback goes to the exception handler with message, exception and handle;
// the loop goes on.
#include "python.hpp"

using namespace py;

void handler(asyncio::EventLoop, const asyncio::ExceptionContext& context) {
  print("keys:", unpack(sorted(context.keys())));
  print("message prefix:", context.message.starts_with("Exception in callback"));
  print("exception:", type_name(context.exception), context.exception);
}

void broken() { throw ValueError("broken callback"); }

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  print("default handler:", loop.get_exception_handler());
  loop.set_exception_handler(handler);
  loop.call_soon(broken);
  loop.call_soon(print, "next callback runs");
  co_await asyncio::sleep(0s);
  print("loop alive");
  loop.set_exception_handler(nullptr);
  print("reset:", loop.get_exception_handler());
}

int main() { asyncio::run(main_()); }
