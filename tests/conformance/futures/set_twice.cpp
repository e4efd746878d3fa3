// SPDX-License-Identifier: BSL-1.0
// A future can be resolved once: later set_result/set_exception raise InvalidStateError and
// cancel() returns False.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto fut = loop.create_future<std::string>();
  fut.set_result("first");
  for (const auto& [label, call] : Calls{
           {"set_result", [&] { fut.set_result("second"); }},
           {"set_exception", [&] { fut.set_exception(ValueError("")); }},
       }) {
    try {
      call();
    } catch (const asyncio::InvalidStateError&) {
      print(label, "-> InvalidStateError");
    }
  }
  print("cancel ->", fut.cancel());
  print("result:", fut.result(), "exception:", fut.exception());
  auto other = loop.create_future<int>();
  other.cancel();
  try {
    other.set_result(1);
  } catch (const asyncio::InvalidStateError&) {
    print("set_result on a cancelled future -> InvalidStateError");
  }
  co_return;
}

int main() { asyncio::run(main_()); }
