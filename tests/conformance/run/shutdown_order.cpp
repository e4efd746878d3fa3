// SPDX-License-Identifier: BSL-1.0
// run() ends in this order: leftover tasks cancelled, async generators closed, default executor
// joined, loop closed.
#include "python.hpp"

#include <semaphore>

using namespace py;

std::binary_semaphore release(0);
std::optional<asyncio::AsyncGenerator<int>> keep;
std::optional<asyncio::EventLoop> loop;

void job() {
  (void)release.try_acquire_for(10s);
  print("3 executor thread finished");
}

asyncio::AsyncGenerator<int> agen() {
  std::exception_ptr closing;
  try {
    co_yield 1;
    co_yield 2;
  } catch (...) {
    closing = std::current_exception();
  }
  co_await asyncio::sleep(0s);
  print("2 async generator finalised");
  release.release();
  if (closing) std::rethrow_exception(closing);
}

Coro<> leftover() {
  Finally last([] { print("1 leftover task cancelled"); });
  co_await asyncio::Event().wait();
}

Coro<> main_() {
  keep = agen();
  print("first item", co_await keep->next());
  asyncio::create_task(leftover());
  loop = asyncio::get_running_loop();
  loop->run_in_executor(nullptr, job);
  co_await asyncio::sleep(0s);
  print("0 main returns");
}

int main() {
  asyncio::run(main_());
  print("4 loop closed:", loop->is_closed());
}
