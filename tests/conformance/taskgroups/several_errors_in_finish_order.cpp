// SPDX-License-Identifier: BSL-1.0
// Errors of several children are all in the group, in the order in which the children finished.
#include "python.hpp"

using namespace py;

Coro<> bad(std::string name, int turns) {
  for (int i = 0; i < turns; ++i) {
    try {
      co_await asyncio::sleep(0s);
    } catch (const asyncio::CancelledError&) {
    }
  }
  throw ValueError(name);
}

Coro<> main_() {
  try {
    co_await asyncio::with(asyncio::TaskGroup(), [](asyncio::TaskGroup& tg) {
      tg.create_task(bad("third", 7));
      tg.create_task(bad("first", 1));
      tg.create_task(bad("second", 4));
    });
  } catch (const ExceptionGroup& eg) {
    print(len(eg.exceptions()), unpack(eg.exceptions()));
  }
}

int main() { asyncio::run(main_()); }
