// SPDX-License-Identifier: BSL-1.0
// The first child error cancels the siblings and the body; the group raises an ExceptionGroup
// with just the errors.
#include "python.hpp"

using namespace py;

Coro<> bad() {
  co_await asyncio::sleep(0s);
  throw ValueError("child failed");
}

Coro<> sibling() {
  try {
    co_await asyncio::Event().wait();
  } catch (const asyncio::CancelledError&) {
    print("sibling cancelled");
    throw;
  }
}

Coro<> main_() {
  std::optional<asyncio::Task<>> s;
  try {
    co_await asyncio::with(asyncio::TaskGroup(), [&](asyncio::TaskGroup& tg) -> Coro<> {
      tg.create_task(bad());
      s = tg.create_task(sibling());
      try {
        co_await asyncio::Event().wait();
      } catch (const asyncio::CancelledError&) {
        print("body cancelled");
        throw;
      }
    });
  } catch (const ExceptionGroup& eg) {
    print("group:", eg.message());
    auto describe = [](auto e) { return f("{}({})", type_name(e), e); };
    print("errors:", unpack(map(describe, eg.exceptions())));
  }
  print("sibling cancelled:", s->cancelled());
  print("main cancelling:", asyncio::current_task()->cancelling());
}

int main() { asyncio::run(main_()); }
