// SPDX-License-Identifier: BSL-1.0
// A scope can be entered once, and cannot be rescheduled before it is entered nor after it is
// left.
#include "python.hpp"

using namespace py;

Coro<> attempt(std::string label, std::function<Coro<>()> f) {
  try {
    co_await f();
  } catch (const RuntimeError&) {
    print(label, "-> RuntimeError");
    co_return;
  }
  print(label, "-> ok");
}

Coro<> main_() {
  auto scope = asyncio::timeout(10s);

  auto enter = [&]() -> Coro<> { co_await asyncio::with(scope, [] {}); };

  auto resched = [&]() -> Coro<> {
    scope.reschedule(std::nullopt);
    co_return;
  };

  co_await attempt("reschedule before enter", resched);
  co_await attempt("enter", enter);
  co_await attempt("enter again", enter);
  co_await attempt("reschedule after leave", resched);
}

int main() { asyncio::run(main_()); }
