// SPDX-License-Identifier: BSL-1.0
// Timers fire in order of their deadline, whatever the order of registration.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto done = loop.create_future();
  auto t0 = loop.time();
  loop.call_at(t0 + 30ms, print, "third");
  loop.call_at(t0 + 10ms, print, "first");
  loop.call_at(t0 + 20ms, print, "second");
  loop.call_at(t0 + 40ms, [&] { done.set_result(); });
  print("scheduled");
  co_await done;
  print("not early:", loop.time() >= t0 + 39ms);
}

int main() { asyncio::run(main_()); }
