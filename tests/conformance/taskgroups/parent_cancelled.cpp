// SPDX-License-Identifier: BSL-1.0
// Cancelling the task that holds the group cancels the children and raises plain CancelledError
// after they ended.
#include "python.hpp"

using namespace py;

std::vector<std::string> names;

Coro<> child(std::string name) {
  co_await asyncio::try_([]() -> Coro<> {
    co_await asyncio::Event().wait();
  }).finally_([&]() -> Coro<> {
    co_await asyncio::sleep(0s);
    names.push_back(name);
  });
}

Coro<> parent() {
  try {
    co_await asyncio::with(asyncio::TaskGroup(), [](asyncio::TaskGroup& tg) {
      tg.create_task(child("x"));
      tg.create_task(child("y"));
    });
  } catch (const asyncio::CancelledError&) {
    print("parent: CancelledError after", join(",", sorted(names)));
    throw;
  }
}

Coro<> main_() {
  auto p = asyncio::create_task(parent());
  co_await asyncio::sleep(0s);
  co_await asyncio::sleep(0s);
  p.cancel();
  co_await asyncio::wait(p);
  print("parent cancelled:", p.cancelled());
}

int main() { asyncio::run(main_()); }
