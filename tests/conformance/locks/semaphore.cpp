// SPDX-License-Identifier: BSL-1.0
// A Semaphore admits up to its value, the rest wait in FIFO order.
#include "python.hpp"

using namespace py;

int inside = 0;
int peak = 0;

Coro<> worker(char name, asyncio::Semaphore& sem) {
  co_await asyncio::with(sem, [&]() -> Coro<> {
    inside += 1;
    peak = std::max(peak, inside);
    print(name, "in");
    co_await asyncio::sleep(0s);
    inside -= 1;
  });
}

Coro<> main_() {
  asyncio::Semaphore sem(2);
  auto workers = map([&](char n) { return worker(n, sem); }, "abcde"s);
  co_await asyncio::gather(std::move(workers));
  print("peak:", peak, "locked:", sem.locked());
  try {
    asyncio::Semaphore negative(-1);
  } catch (const ValueError&) {
    print("negative value -> ValueError");
  }
}

int main() { asyncio::run(main_()); }
