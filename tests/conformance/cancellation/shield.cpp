// SPDX-License-Identifier: BSL-1.0
// Shield keeps the inner task alive when the awaiter is cancelled: the awaiter gets
// CancelledError, the inner one finishes.
#include "python.hpp"

using namespace py;

Coro<std::string> inner(asyncio::Event& gate) {
  co_await gate.wait();
  print("inner finishes");
  co_return "kept";
}

Coro<> outer(asyncio::Task<std::string> t) {
  try {
    co_await asyncio::shield(t);
  } catch (const asyncio::CancelledError&) {
    print("outer cancelled; inner done:", t.done());
    throw;
  }
}

Coro<> main_() {
  asyncio::Event gate;
  auto t = asyncio::create_task(inner(gate));
  auto o = asyncio::create_task(outer(t));
  co_await asyncio::sleep(0s);
  co_await asyncio::sleep(0s);
  o.cancel();
  co_await asyncio::wait(o);
  print("outer:", o.cancelled(), "inner:", t.cancelled());
  gate.set();
  print(co_await t);
}

int main() { asyncio::run(main_()); }
