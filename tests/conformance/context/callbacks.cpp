// SPDX-License-Identifier: BSL-1.0
// call_soon, call_later and done callbacks capture the context at registration; context=
// overrides it.
#include "python.hpp"

using namespace py;

asyncio::ContextVar<std::string> var("var", "default");

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto done = loop.create_future();
  var.set("at call_soon");
  loop.call_soon([] { print("call_soon:", var.get()); });
  var.set("at call_later");
  loop.call_later(0s, [&] {
    print("call_later:", var.get());
    done.set_result();
  });
  var.set("at add_done_callback");
  done.add_done_callback([](auto) { print("done callback:", var.get()); });
  auto ctx = asyncio::copy_context();
  ctx.run([] { var.set("explicit"); });
  loop.call_soon(ctx, [] { print("explicit:", var.get()); });
  var.set("later");
  co_await done;
  co_await asyncio::sleep(0s);
  print("main:", var.get());
}

int main() { asyncio::run(main_()); }
