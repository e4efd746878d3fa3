// SPDX-License-Identifier: BSL-1.0
// create_task(context=) runs the task in that very context, so its changes can be read there.
#include "python.hpp"

using namespace py;

asyncio::ContextVar<std::string> var("var", "default");

Coro<> child() {
  print("child sees", var.get());
  var.set("changed by child");
  co_return;
}

Coro<> main_() {
  var.set("main");
  auto ctx = asyncio::copy_context();
  ctx.run([] { var.set("prepared"); });
  co_await asyncio::create_task(child(), asyncio::TaskOptions().context(ctx));
  print("in ctx:", ctx.get(var));
  print("in main:", var.get());
}

int main() { asyncio::run(main_()); }
