// SPDX-License-Identifier: BSL-1.0
// TimerHandle.when() is the absolute deadline; call_later(d) is call_at(time()+d).
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto t = loop.time() + 5s;
  auto h = loop.call_at(t, print, "never");
  print("when is the deadline:", h.when() == t);
  auto before = loop.time();
  auto g = loop.call_later(7s, print, "never");
  auto after = loop.time();
  print("call_later deadline in range:", before + 7s <= g.when() && g.when() <= after + 7s);
  h.cancel();
  g.cancel();
  print("when after cancel:", h.when() == t);
  co_return;
}

int main() { asyncio::run(main_()); }
