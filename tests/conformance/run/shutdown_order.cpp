// SPDX-License-Identifier: BSL-1.0
// run() ends in this order: leftover tasks cancelled, async generators closed, default executor
// joined, loop closed.
#include "python.hpp"

using namespace py;

std::binary_semaphore release(0);
std::vector<std::any> keep;

void job() {
  release.try_acquire_for(10s);
  print("3 executor thread finished");
}

asyncio::AsyncGenerator<int> agen() {
  auto body = 
  try {
    co_yield 1;
    co_yield 2;
  } finally {
    co_await asyncio::sleep(0s);
    print("2 async generator finalised");
    release.release();
  }
}

Coro<> leftover() {
  Finally last([] { print("1 leftover task cancelled"); });
  co_await asyncio::Event().wait();
}

Coro<> main_() {
  auto g = agen();
  keep.append(g);
  print("first item", co_await g.next());
  co_await asyncio::sleep(0s);
  print("0 main returns");
}

int main() {
  asyncio::run(main_());
  print("4 loop closed:", keep[2].is_closed());
}
