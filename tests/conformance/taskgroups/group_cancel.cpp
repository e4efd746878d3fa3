// SPDX-License-Identifier: BSL-1.0
// TaskGroup.cancel() (3.15) cancels the children and the body and leaves the group without any
// exception.
#include "python.hpp"

using namespace py;

Coro<> child() {
  Finally last([] { print("child stopped"); });
  co_await asyncio::Event().wait();
}

Coro<> main_() {
  std::optional<asyncio::Task<>> t;
  co_await asyncio::with(asyncio::TaskGroup(), [&](asyncio::TaskGroup& tg) -> Coro<> {
    t = tg.create_task(child());
    co_await asyncio::sleep(0s);
    tg.cancel();
    print("cancel requested, body still running");
    co_await asyncio::sleep(0s);
    print("not reached");
  });
  print("left without exception; child cancelled:", t->cancelled());
  print("cancelling:", asyncio::current_task()->cancelling());
  co_await asyncio::sleep(0s);
  print("main goes on");
}

int main() { asyncio::run(main_()); }
