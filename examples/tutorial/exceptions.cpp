// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <stdexcept>

using namespace asyncio;
using namespace std::chrono_literals;

// [hierarchy]
Coro<> careful() {
  try {
    co_await sleep(1h);
  } catch (const std::exception& e) {
    std::cout << "never reached by a cancellation: " << e.what() << "\n";
  } catch (const CancelledError&) {
    std::cout << "a cancellation is no std::exception\n";
    throw;
  }
}

Coro<> program() {
  auto task = create_task(careful);
  co_await sleep(1ms);
  task.cancel();
  auto ended = co_await capture(task);
  std::cout << "cancelled: " << std::boolalpha << ended.cancelled() << "\n";

  auto late = co_await capture(wait_for(sleep(1h), 1s));
  std::cout << "a TimeoutError is an OSError: " << late.holds<OSError>()
            << ", and a std::system_error: " << late.holds<std::system_error>() << "\n";
}
// [/hierarchy]

int main() { run(program()); }
