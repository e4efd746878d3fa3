// SPDX-License-Identifier: BSL-1.0
// Debug mode is off by default, set by run(debug=) for that run, and can be switched on a loop.
#include "python.hpp"

using namespace py;

Coro<bool> main_() { co_return asyncio::get_running_loop().get_debug(); }

int main() {
  print("default:", asyncio::run(main_()));
  print("debug=True:", asyncio::run(main_(), asyncio::RunOptions().debug(true)));
  print("debug=False:", asyncio::run(main_(), asyncio::RunOptions().debug(false)));
  auto loop = asyncio::new_event_loop();
  loop.set_debug(true);
  print("set_debug:", loop.get_debug());
  loop.close();
}
