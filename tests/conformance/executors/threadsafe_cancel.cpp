// SPDX-License-Identifier: BSL-1.0
// Cancelling the concurrent future cancels the task in the loop.
#include "python.hpp"
#include "python_threading.hpp"

using namespace py;

threading::Event started;
std::optional<asyncio::Event> finished;

Coro<> hang() {
  started.set();
  try {
    co_await asyncio::Event().wait();
  } catch (const asyncio::CancelledError&) {
    print("task cancelled in the loop");
    finished->set();
    throw;
  }
}

std::tuple<bool, bool> thread(asyncio::EventLoop loop) {
  auto fut = asyncio::run_coroutine_threadsafe(hang(), loop);
  started.wait(10s);
  bool cancelled = fut.cancel();
  return {cancelled, fut.cancelled()};
}

Coro<> main_() {
  finished.emplace();
  auto loop = asyncio::get_running_loop();
  auto worker = loop.run_in_executor(nullptr, thread, loop);
  co_await finished->wait();
  print("cancel() and cancelled():", unpack(co_await worker));
}

int main() { asyncio::run(main_()); }
