// SPDX-License-Identifier: BSL-1.0
// Done callbacks run in registration order, each through call_soon after the task finished; one
// added after completion is also only scheduled.
#include "python.hpp"

using namespace py;

Coro<int> job() {
  print("job");
  co_return 1;
}

Coro<> main_() {
  auto t = asyncio::create_task(job());
  t.add_done_callback([](auto f) { print("cb1", f.result()); });
  t.add_done_callback([](auto f) { print("cb2", f.done()); });
  co_await t;
  print("main resumed");
  t.add_done_callback([](auto) { print("cb3 late"); });
  print("cb3 not called yet");
  co_await asyncio::sleep(0s);
  print("end");
}

int main() { asyncio::run(main_()); }
