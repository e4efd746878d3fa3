// SPDX-License-Identifier: BSL-1.0
// run() may be called again after it returned: every call has a fresh loop and the old one is
// closed.
#include "python.hpp"

using namespace py;

std::vector<asyncio::EventLoop> loops;

Coro<int> main_(int n) {
  auto loop = asyncio::get_running_loop();
  loops.push_back(loop);
  print("run", n, "running:", loop.is_running(), "tasks:", len(asyncio::all_tasks()));
  co_await asyncio::sleep(0s);
  co_return n * 10;
}

int main() {
  print(asyncio::run(main_(1)));
  print("first closed:", loops[0].is_closed());
  print(asyncio::run(main_(2)));
  print("second closed:", loops[1].is_closed());
  print("same loop:", loops[0] == loops[1]);
}
