// SPDX-License-Identifier: BSL-1.0
// call_soon_threadsafe wakes the loop from another thread and keeps the order of its calls.
#include "python.hpp"

#include <thread>

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto done = loop.create_future<std::string>();
  auto loop_thread = std::this_thread::get_id();

  auto in_loop = [&](int i) {
    print("callback", i, "in loop thread:", std::this_thread::get_id() == loop_thread);
  };

  auto thread = [&] {
    for (int i : range(3)) loop.call_soon_threadsafe(in_loop, i);
    loop.call_soon_threadsafe([&] { done.set_result("woken"); });
  };

  std::thread th(thread);
  print(co_await done);
  th.join();
}

int main() { asyncio::run(main_()); }
