// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [say]
Coro<> say_after(Delay delay, std::string what) {
  co_await sleep(delay);
  std::cout << what << "\n";
}

Coro<> one_by_one() {
  co_await say_after(1s, "hello");
  co_await say_after(2s, "world");
}

Coro<> together() { co_await gather(say_after(1s, "hello"), say_after(2s, "world")); }

Coro<> program() {
  auto loop = get_running_loop();
  auto begin = loop.time();
  co_await one_by_one();
  std::cout << "one by one: " << (loop.time() - begin) / 1s << " s\n";
  begin = loop.time();
  co_await together();
  std::cout << "together: " << (loop.time() - begin) / 1s << " s\n";
}
// [/say]

int main() { run(program()); }
