// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [exceptions]
Coro<> fails() {
  co_await sleep(1ms);
  throw ValueError("went wrong");
}

int main() {
  try {
    run(fails());
  } catch (const ValueError& e) {
    std::cout << "caught outside of run: " << e.what() << "\n";
  }
  int status = run_main(fails());
  std::cout << "exit status " << status << "\n";
}
// [/exceptions]
