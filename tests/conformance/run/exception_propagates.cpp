// SPDX-License-Identifier: BSL-1.0
// An exception leaving the main coroutine leaves run() unchanged (it is not printed or
// swallowed), after cleanup.
#include "python.hpp"

using namespace py;

std::optional<asyncio::EventLoop> saved;

Coro<> main_() {
  saved = asyncio::get_running_loop();
  Finally last([] { print("main finally"); });
  print("about to fail");
  throw ValueError("boom");
  co_return;
}

int main() {
  try {
    asyncio::run(main_());
    print("not reached");
  } catch (const ValueError& e) {
    print("run raised ValueError:", e);
  }
  print("loop closed:", saved->is_closed());
}
