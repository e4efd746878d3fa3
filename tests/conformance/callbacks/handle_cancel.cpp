// SPDX-License-Identifier: BSL-1.0
// A cancelled handle is never called; cancel() is idempotent and harmless after the call.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto h1 = loop.call_soon(print, "never 1");
  auto h2 = loop.call_later(1ms, print, "never 2");
  auto h3 = loop.call_soon(print, "called");
  h1.cancel();
  h1.cancel();
  h2.cancel();
  print("cancelled:", h1.cancelled(), h2.cancelled(), h3.cancelled());
  co_await asyncio::sleep(10ms);
  h3.cancel();
  print("after the call:", h3.cancelled());
}

int main() { asyncio::run(main_()); }
