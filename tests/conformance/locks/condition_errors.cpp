// SPDX-License-Identifier: BSL-1.0
// wait() and notify() without holding the lock raise RuntimeError.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  asyncio::Condition cond;
  try {
    co_await cond.wait();
  } catch (const RuntimeError&) {
    print("wait -> RuntimeError");
  }
  Calls calls{{"notify", [&] { cond.notify(); }}, {"notify_all", [&] { cond.notify_all(); }}};
  for (const auto& [name, call] : calls) {
    try {
      call();
    } catch (const RuntimeError&) {
      print(name, "-> RuntimeError");
    }
  }
}

int main() { asyncio::run(main_()); }
