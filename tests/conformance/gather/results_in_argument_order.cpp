// SPDX-License-Identifier: BSL-1.0
// Results come in argument order, whatever the completion order.
#include "python.hpp"

using namespace py;

Coro<std::string> job(std::string name, int turns) {
  for (int i = 0; i < turns; ++i) co_await asyncio::sleep(0s);
  print(name, "finishes");
  co_return name;
}

Coro<> main_() {
  auto results = co_await asyncio::gather(job("slow", 4), job("quick", 0), job("mid", 2));
  print("results:", unpack(results));
}

int main() { asyncio::run(main_()); }
