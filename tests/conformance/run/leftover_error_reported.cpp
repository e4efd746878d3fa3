// SPDX-License-Identifier: BSL-1.0
// A leftover task that fails while being cancelled is reported to the loop's exception handler;
// run() still returns main's value.
#include "python.hpp"

using namespace py;

void handler(asyncio::EventLoop, const asyncio::ExceptionContext& context) {
  auto exc = context.exception;
  print("handler:", context.message);
  print("handler exception:", type_name(exc), exc);
  print("handler got the task:", context.task->get_name());
}

Coro<> worker() {
  auto wait = []() -> Coro<> { co_await asyncio::Event().wait(); };
  co_await asyncio::try_(wait).finally_([] { throw ZeroDivisionError("in cleanup"); });
}

Coro<std::pair<std::string, asyncio::Task<>>> main_() {
  asyncio::get_running_loop().set_exception_handler(handler);
  auto t = asyncio::create_task(worker(), asyncio::TaskOptions().name("w1"));
  co_await asyncio::sleep(0s);
  co_return std::pair("value", t);
}

int main() {
  auto [value, t] = asyncio::run(main_());
  print("run returned", value);
  print("task exception:", type_name(t.exception()));
}
