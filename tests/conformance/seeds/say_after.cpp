// SPDX-License-Identifier: BSL-1.0
// Seed 4: say_after one after the other, then gathered; and gather ends early on an exception,
// which the seed does not say.
#include "python.hpp"

using namespace py;

// the seed's sleep(delay), as deadlines from one common start: the order cannot depend on load
Coro<> sleep_until(asyncio::TimePoint when) {
  auto fut = asyncio::get_running_loop().create_future();
  asyncio::get_running_loop().call_at(when, [&] { fut.set_result(); });
  co_await fut;
}

Coro<> say_after(asyncio::Delay delay, std::string what) {
  co_await asyncio::sleep(delay);
  print(what);
}

Coro<> say_at(asyncio::TimePoint when, std::string what) {
  co_await sleep_until(when);
  print(what);
}

Coro<> say_when(asyncio::Event& event, std::string what) {
  co_await event.wait();
  print(what);
}

Coro<> failing() {
  throw ValueError("early");
  co_return;
}

Coro<> main_() {
  print("started");
  co_await say_after(20ms, "hello");
  co_await say_after(10ms, "world");
  print("gather");
  auto t0 = asyncio::get_running_loop().time();
  co_await asyncio::gather(say_at(t0 + 20ms, "world"), say_at(t0 + 10ms, "hello"));
  asyncio::Event event;
  auto slow = asyncio::create_task(say_when(event, "still printed"));
  try {
    co_await asyncio::gather(slow, failing());
  } catch (const ValueError&) {
    print("gather ended with ValueError; slow done:", slow.done());
  }
  event.set();
  co_await slow;
  print("finished");
}

int main() { asyncio::run(main_()); }
