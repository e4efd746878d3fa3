// SPDX-License-Identifier: BSL-1.0
// A task gets the name given, else Task-N counted from 1; set_name changes it.
#include "python.hpp"

using namespace py;

Coro<> nop() { co_return; }

Coro<> main_() {
  print("main:", asyncio::current_task()->get_name());
  auto a = asyncio::create_task(nop());
  auto b = asyncio::create_task(nop(), asyncio::TaskOptions().name("bee"));
  print(a.get_name(), b.get_name());
  a.set_name("renamed");
  print(a.get_name());
  co_await asyncio::gather(a, b);
}

int main() { asyncio::run(main_()); }
