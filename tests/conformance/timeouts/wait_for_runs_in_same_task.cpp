// SPDX-License-Identifier: BSL-1.0
// wait_for awaits its coroutine in the calling task (3.12+): no extra task, no extra loop turn.
#include "python.hpp"

using namespace py;

std::optional<asyncio::TaskHandle> caller;

Coro<std::string> child() {
  print("same task:", asyncio::current_task() == caller);
  print("tasks:", len(asyncio::all_tasks()));
  co_return "value";
}

Coro<> main_() {
  caller = asyncio::current_task();
  asyncio::get_running_loop().call_soon(print, "callback");
  print(co_await asyncio::wait_for(child(), 10s));
  print("not suspended yet");
  co_await asyncio::sleep(0s);
}

int main() { asyncio::run(main_()); }
