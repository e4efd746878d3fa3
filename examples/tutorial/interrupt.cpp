// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <csignal>
#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [interrupt]
Coro<> serve() {
  try {
    co_await Event().wait();
  } catch (const CancelledError&) {
    std::cout << "serve: cleaning up\n";
    throw;
  }
}

Coro<> program() {
  get_running_loop().call_later(1s, std::raise, SIGINT);  // stands for Ctrl-C
  co_await serve();
}

int main() {
  try {
    run(program());
  } catch (const KeyboardInterrupt&) {
    std::cout << "interrupted\n";
  }
}
// [/interrupt]
