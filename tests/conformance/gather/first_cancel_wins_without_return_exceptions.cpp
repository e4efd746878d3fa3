// SPDX-License-Identifier: BSL-1.0
// A child that is cancelled counts as raising CancelledError; the awaiter gets it, siblings go
// on and the awaiter is not itself cancelled.
#include "python.hpp"

using namespace py;

Coro<> forever() { co_await asyncio::Event().wait(); }

Coro<std::string> sibling() {
  for (int i = 0; i < 5; ++i) co_await asyncio::sleep(0s);
  co_return "sibling ok";
}

Coro<> main_() {
  auto f = asyncio::create_task(forever());
  auto s = asyncio::create_task(sibling());
  asyncio::get_running_loop().call_soon([f]() mutable { f.cancel(); });
  try {
    co_await asyncio::gather(f, s);
  } catch (const asyncio::CancelledError&) {
    print("CancelledError from gather");
  }
  print("main cancelling:", asyncio::current_task()->cancelling());
  print("sibling done:", s.done());
  print(co_await s);
}

int main() { asyncio::run(main_()); }
