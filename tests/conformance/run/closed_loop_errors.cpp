// SPDX-License-Identifier: BSL-1.0
// A closed loop refuses work with RuntimeError "Event loop is closed"; close() is idempotent;
// closing a running loop is an error.
#include "python.hpp"

using namespace py;

int main() {
  auto loop = asyncio::new_event_loop();

  auto try_close = [&] {
    try {
      loop.close();
    } catch (const RuntimeError& e) {
      print("close while running:", e);
    }
  };

  loop.call_soon(try_close);
  loop.call_soon([&] { loop.stop(); });
  loop.run_forever();
  loop.close();
  loop.close();
  print("closed:", loop.is_closed());
  for (const auto& [name, call] : Calls{
           {"call_soon", [&] { loop.call_soon(print); }},
           {"call_later", [&] { loop.call_later(0s, print); }},
           {"call_soon_threadsafe", [&] { loop.call_soon_threadsafe(print); }},
           {"run_forever", [&] { loop.run_forever(); }},
       }) {
    try {
      call();
      print(name, "accepted");
    } catch (const RuntimeError& e) {
      print(name, "->", e);
    }
  }
}
