// SPDX-License-Identifier: BSL-1.0
// Each link costs one loop iteration: task end -> awaiter resumes in the next iteration, and so
// on up the chain.
#include "python.hpp"

using namespace py;

int tick = 0;

Coro<> ticker() {
  for (int i = 0; i < 10; ++i) {
    tick += 1;
    co_await asyncio::sleep(0s);
  }
}

Coro<> leaf() {
  print("leaf starts at", tick);
  co_await asyncio::sleep(0s);
  print("leaf ends at", tick);
}

Coro<> mid() {
  co_await asyncio::create_task(leaf());
  print("mid resumes at", tick);
}

Coro<> top() {
  co_await asyncio::create_task(mid());
  print("top resumes at", tick);
}

Coro<> main_() {
  auto t = asyncio::create_task(ticker());
  co_await asyncio::create_task(top());
  print("main resumes at", tick);
  co_await t;
}

int main() { asyncio::run(main_()); }
