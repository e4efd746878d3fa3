// SPDX-License-Identifier: BSL-1.0
// What a callback schedules runs in the next iteration, after everything queued in this one.
#include "python.hpp"

using namespace py;

int main() {
  auto loop = asyncio::new_event_loop();

  auto second_child = [&] {
    print("second child of first");
    loop.call_soon([&] { loop.stop(); });
  };

  auto first = [&] {
    print("first");
    loop.call_soon(print, "child of first");
    loop.call_soon(second_child);
  };

  loop.call_soon(first);
  loop.call_soon(print, "second");
  loop.call_soon(print, "third");
  loop.run_forever();
  print("stopped");
  loop.close();
}
