// SPDX-License-Identifier: BSL-1.0
// run_coroutine_threadsafe submits a coroutine to a running loop from another thread; its
// concurrent future gives result or exception.
#include "python.hpp"

using namespace py;

Coro<int> add(int a, std::optional<int> b) {
  co_await asyncio::sleep(0s);
  if (!b) throw TypeError("no number");
  co_return a + *b;
}

std::vector<std::string> thread(asyncio::EventLoop loop) {
  auto out = list(str(asyncio::run_coroutine_threadsafe(add(1, 2), loop).result(10s)));
  auto fut = asyncio::run_coroutine_threadsafe(add(1, std::nullopt), loop);
  try {
    fut.result(10s);
  } catch (const TypeError& e) {
    out.push_back("TypeError " + str(e));
  }
  return out;
}

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  print(unpack(co_await loop.run_in_executor(nullptr, thread, loop)));
}

int main() { asyncio::run(main_()); }
