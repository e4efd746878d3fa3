// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [deaf]
Coro<> deaf() {
  for (int attempt = 1; attempt <= 3; ++attempt) {
    try {
      co_await sleep(1s);
      std::cout << "attempt " << attempt << " done\n";
    } catch (...) {  // wrong: this takes the cancellation for a failed attempt
      std::cout << "attempt " << attempt << " failed\n";
    }
  }
}
// [/deaf]

// [polite]
Coro<> polite() {
  for (int attempt = 1; attempt <= 3; ++attempt) {
    try {
      co_await sleep(1s);
      std::cout << "attempt " << attempt << " done\n";
    } catch (const std::exception& e) {  // right: a cancellation is no std::exception
      std::cout << "attempt " << attempt << " failed: " << e.what() << "\n";
    }
  }
}
// [/polite]

// [program]
template <class F>
Coro<> cancel_in_the_middle(F worker) {
  auto task = create_task(worker);
  co_await sleep(1500ms);
  task.cancel();
  auto outcome = co_await capture(task);
  std::cout << "cancelled: " << std::boolalpha << outcome.cancelled() << "\n";
}

Coro<> program() {
  co_await cancel_in_the_middle(deaf);
  co_await cancel_in_the_middle(polite);
}
// [/program]

int main() { run(program()); }
