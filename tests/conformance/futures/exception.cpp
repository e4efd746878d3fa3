// SPDX-License-Identifier: BSL-1.0
// set_exception: result() raises it, exception() returns it, awaiting raises it.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto fut = asyncio::get_running_loop().create_future();
  auto err = std::make_exception_ptr(LookupError("nothing there"));
  fut.set_exception(err);
  print("done:", fut.done(), "cancelled:", fut.cancelled(), "same:", fut.exception() == err);
  try {
    fut.result();
  } catch (const LookupError& e) {
    print("result() raised", e);
  }
  try {
    co_await fut;
  } catch (const LookupError& e) {
    print("await raised", e);
  }
}

int main() { asyncio::run(main_()); }
