// SPDX-License-Identifier: BSL-1.0
// Runner: run() inside a running loop and any use after close() raise RuntimeError; close()
// twice is harmless.
#include "python.hpp"

using namespace py;

Coro<std::string> ping() { co_return "pong"; }

Coro<> nested(asyncio::Runner& runner) {
  auto coro = ping();
  try {
    runner.run(std::move(coro));
  } catch (const RuntimeError& e) {
    print("nested:", e);
  }
  coro.close();
  co_return;
}

int main() {
  asyncio::Runner runner;
  print("same loop:", runner.get_loop() == runner.get_loop());
  print(runner.run(ping()));
  runner.run(nested(runner));
  auto loop = runner.get_loop();
  runner.close();
  runner.close();
  print("loop closed:", loop.is_closed());
  try {
    runner.get_loop();
  } catch (const RuntimeError& e) {
    print("get_loop:", e);
  }
  auto coro = ping();
  try {
    runner.run(std::move(coro));
  } catch (const RuntimeError& e) {
    print("run:", e);
  }
  coro.close();
}
