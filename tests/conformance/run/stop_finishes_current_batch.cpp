// SPDX-License-Identifier: BSL-1.0
// stop() lets the callbacks already scheduled run, then run_forever returns; callbacks they add
// wait for the next run_forever.
#include "python.hpp"

using namespace py;

int main() {
  auto loop = asyncio::new_event_loop();

  auto first = [&] {
    print("first: stop, then schedule late");
    loop.stop();
    loop.call_soon(print, "late ran");
  };

  loop.call_soon(first);
  loop.call_soon(print, "second still runs");
  loop.run_forever();
  print("stopped");
  loop.call_soon([&] { loop.stop(); });
  loop.run_forever();
  print("stopped again");
  loop.close();
}
