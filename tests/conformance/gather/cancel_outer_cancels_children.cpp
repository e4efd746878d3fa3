// SPDX-License-Identifier: BSL-1.0
// Cancelling the awaiting task cancels every pending child, in argument order; it gets
// CancelledError as soon as the first child ended cancelled, the others finish their clean-up
// on their own.
#include "python.hpp"

using namespace py;

Coro<> child(std::string name, int cleanup) {
  auto wait = []() -> Coro<> { co_await asyncio::Event().wait(); };
  auto clean_up = [&](const asyncio::CancelledError& e) -> Coro<> {
    print(name, "cancelled");
    for (int i = 0; i < cleanup; ++i) co_await asyncio::sleep(0s);
    print(name, "cleaned up");
    throw e;
  };
  co_await asyncio::try_(wait).except<asyncio::CancelledError>(clean_up);
}

Coro<> parent() {
  try {
    co_await asyncio::gather(child("a", 1), child("b", 3));
  } catch (const asyncio::CancelledError&) {
    print("parent sees CancelledError");
    throw;
  }
}

Coro<> main_() {
  auto p = asyncio::create_task(parent());
  co_await asyncio::sleep(0s);
  co_await asyncio::sleep(0s);
  p.cancel();
  print("cancel requested");
  try {
    co_await p;
  } catch (const asyncio::CancelledError&) {
    print("parent cancelled:", p.cancelled());
  }
}

int main() { asyncio::run(main_()); }
