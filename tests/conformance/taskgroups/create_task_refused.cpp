// SPDX-License-Identifier: BSL-1.0
// create_task raises RuntimeError before entry, while the group is shutting down and after it
// finished.
#include "python.hpp"

using namespace py;

Coro<> nop() {
  print("never printed");
  co_return;
}

void attempt(std::string label, asyncio::TaskGroup& tg) {
  auto coro = nop();
  try {
    tg.create_task(std::move(coro));
    print(label, "accepted");
  } catch (const RuntimeError&) {
    print(label, "-> RuntimeError");
  }
  coro.close();
}

Coro<> main_() {
  asyncio::TaskGroup tg;
  attempt("before entry", tg);
  try {
    co_await asyncio::with(tg, [&]() -> Coro<> {
      auto bad = []() -> Coro<> {
        throw ValueError("");
        co_return;
      };
      tg.create_task(bad());
      Finally last([&] { attempt("shutting down", tg); });
      co_await asyncio::Event().wait();
    });
  } catch (const ExceptionGroup&) {
    print("group failed");
  }
  attempt("finished", tg);
  try {
    co_await asyncio::with(tg, [] {});
  } catch (const RuntimeError&) {
    print("enter twice -> RuntimeError");
  }
}

int main() { asyncio::run(main_()); }
