// SPDX-License-Identifier: BSL-1.0
// aclose() on a suspended generator runs its finally blocks, awaits included, before it returns;
// closing again or a fresh one does nothing.
#include "python.hpp"

using namespace py;

asyncio::AsyncGenerator<int> source(std::string name) {
  std::exception_ptr error;
  try {
    print(name, "starts");
    co_yield 1;
    co_yield 2;
  } catch (...) {  // Rethrown after the finally part.
    error = std::current_exception();
  }
  print(name, "finally starts");
  co_await asyncio::sleep(0s);
  print(name, "finally ends");
  if (error) std::rethrow_exception(error);
}

Coro<> main_() {
  auto gen = source("a");
  while (auto x = co_await gen.next()) {
    print("got", *x);
    break;
  }
  print("left the loop early");
  co_await gen.aclose();
  print("closed");
  co_await gen.aclose();
  auto fresh = source("b");
  co_await fresh.aclose();
  print("closing a fresh generator ran nothing");
}

int main() { asyncio::run(main_()); }
