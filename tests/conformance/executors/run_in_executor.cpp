// SPDX-License-Identifier: BSL-1.0
// run_in_executor runs a function in another thread while the loop keeps running; result and
// exception come back.
#include "python.hpp"
#include "python_threading.hpp"

using namespace py;

int blocking(std::shared_ptr<threading::Event> gate, int value) {
  gate->wait(10s);
  if (value < 0) throw ValueError("negative");
  return value * 2;
}

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto gate = std::make_shared<threading::Event>();
  auto fut = loop.run_in_executor(nullptr, blocking, gate, 21);
  auto bad = loop.run_in_executor(nullptr, blocking, gate, -1);
  for (int i : range(3)) {
    print("loop runs", i, "done:", fut.done());
    co_await asyncio::sleep(0s);
  }
  gate->set();
  print("result:", co_await fut);
  try {
    co_await bad;
  } catch (const ValueError& e) {
    print("ValueError:", e);
  }
}

int main() { asyncio::run(main_()); }
