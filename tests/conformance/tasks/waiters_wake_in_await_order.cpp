// SPDX-License-Identifier: BSL-1.0
// Tasks waiting on one task resume in the order in which they began to wait.
#include "python.hpp"

using namespace py;

Coro<std::string> gate() {
  co_await asyncio::sleep(0s);
  co_await asyncio::sleep(0s);
  print("gate opens");
  co_return "key";
}

Coro<> waiter(std::string name, asyncio::Task<std::string> t) {
  print(name, "waits");
  print(name, "got", co_await t);
}

Coro<> main_() {
  auto t = asyncio::create_task(gate());
  std::vector<asyncio::Task<>> ws;
  for (auto n : {"w1", "w2", "w3"}) ws.push_back(asyncio::create_task(waiter(n, t)));
  co_await asyncio::gather(ws);
}

int main() { asyncio::run(main_()); }
