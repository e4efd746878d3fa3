// SPDX-License-Identifier: BSL-1.0
// call_soon runs callbacks in the order of the calls, each once, one loop iteration at a time.
#include "python.hpp"

using namespace py;

void cb(std::string name, asyncio::EventLoop loop, int depth) {
  print(name, depth);
  if (depth) loop.call_soon(cb, name, loop, depth - 1);
}

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  loop.call_soon(cb, "a", loop, 2);
  loop.call_soon(cb, "b", loop, 1);
  loop.call_soon(cb, "c", loop, 0);
  print("scheduled");
  for (int i : range(4)) {
    co_await asyncio::sleep(0s);
    print("iteration", i, "over");
  }
}

int main() { asyncio::run(main_()); }
