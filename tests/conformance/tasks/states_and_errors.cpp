// SPDX-License-Identifier: BSL-1.0
// Done/cancelled/result/exception through a task's life; result() and exception() before
// completion raise InvalidStateError.
#include "python.hpp"

using namespace py;

Coro<std::string> ok() {
  co_await asyncio::sleep(0s);
  co_return "fine";
}

Coro<> bad() {
  co_await asyncio::sleep(0s);
  throw KeyError("missing");
}

Coro<> main_() {
  auto t = asyncio::create_task(ok());
  auto u = asyncio::create_task(bad());
  for (const Call& call : {Call([&] { t.result(); }), Call([&] { t.exception(); })}) {
    try {
      call();
    } catch (const asyncio::InvalidStateError&) {
      print("InvalidStateError: not done yet");
    }
  }
  co_await asyncio::wait(t, u);
  print("t:", t.done(), t.cancelled(), t.result(), t.exception());
  print("u:", u.done(), u.cancelled(), type_name(u.exception()));
  try {
    u.result();
  } catch (const KeyError&) {
    print("u.result() raised KeyError");
  }
}

int main() { asyncio::run(main_()); }
