// SPDX-License-Identifier: BSL-1.0
// wait_for with a timeout <= 0 never starts the coroutine and raises TimeoutError.
#include "python.hpp"

using namespace py;

bool started = false;

Coro<> job() {
  started = true;
  co_return;
}

Coro<> main_() {
  for (int timeout : {0, -1}) {
    try {
      co_await asyncio::wait_for(job(), std::chrono::seconds(timeout));
    } catch (const TimeoutError&) {
      print("timeout", timeout, ": TimeoutError; started:", started);
    }
  }
}

int main() { asyncio::run(main_()); }
