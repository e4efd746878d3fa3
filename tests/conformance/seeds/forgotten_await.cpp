// SPDX-License-Identifier: BSL-1.0
// Seeds 0, 3: calling a coroutine function only creates the coroutine, nothing of it runs.
#include "python.hpp"

using namespace py;

Coro<int> fetch() {
  print("fetch runs");
  co_return 42;
}

Coro<> main_() {
  auto coro = fetch();
  print("created, nothing printed yet");
  print(co_await std::move(coro));
}

int main() { asyncio::run(main_()); }
