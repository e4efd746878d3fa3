// SPDX-License-Identifier: BSL-1.0
// An exception of the body cancels the children, waits for them, and is raised inside the
// ExceptionGroup.
#include "python.hpp"

using namespace py;

Coro<> child() {
  co_await asyncio::try_([]() -> Coro<> {
    co_await asyncio::Event().wait();
  }).finally_([]() -> Coro<> {
    co_await asyncio::sleep(0s);
    print("child cleaned up");
  });
}

Coro<> main_() {
  std::optional<asyncio::Task<>> t;
  try {
    co_await asyncio::with(asyncio::TaskGroup(), [&](asyncio::TaskGroup& tg) -> Coro<> {
      t = tg.create_task(child());
      co_await asyncio::sleep(0s);
      throw KeyError("body");
    });
  } catch (const ExceptionGroup& eg) {
    print("errors:", unpack(map([](auto e) { return type_name(e); }, eg.exceptions())));
  }
  print("child cancelled:", t->cancelled());
}

int main() { asyncio::run(main_()); }
