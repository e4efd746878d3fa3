// SPDX-License-Identifier: BSL-1.0
// A child cancelled on its own does not abort the group: it is just done.
#include "python.hpp"

using namespace py;

Coro<> forever() { co_await asyncio::Event().wait(); }

Coro<std::string> steady() {
  for (int i = 0; i < 3; ++i) co_await asyncio::sleep(0s);
  co_return "steady";
}

Coro<> main_() {
  std::optional<asyncio::Task<>> f;
  std::optional<asyncio::Task<std::string>> s;
  co_await asyncio::with(asyncio::TaskGroup(), [&](asyncio::TaskGroup& tg) -> Coro<> {
    f = tg.create_task(forever());
    s = tg.create_task(steady());
    co_await asyncio::sleep(0s);
    print("cancel():", f->cancel());
  });
  print("left normally; forever cancelled:", f->cancelled(), "steady:", s->result());
}

int main() { asyncio::run(main_()); }
