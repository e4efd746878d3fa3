// SPDX-License-Identifier: BSL-1.0
// A task works on a copy of the context taken when it was created: it sees earlier values and
// its own changes stay private.
#include "python.hpp"

using namespace py;

asyncio::ContextVar<std::string> var("var", "default");

Coro<> child(std::string name) {
  print(name, "sees", var.get());
  var.set("set by " + name);
  co_await asyncio::sleep(0s);
  print(name, "keeps", var.get());
}

Coro<> main_() {
  var.set("one");
  auto a = asyncio::create_task(child("a"));
  var.set("two");
  auto b = asyncio::create_task(child("b"));
  var.set("three");
  co_await asyncio::gather(a, b);
  print("main has", var.get());
}

int main() {
  asyncio::run(main_());
  print("outside:", var.get());
}
