// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [by_hand]
Coro<> cancel_leftovers() {
  auto tasks = all_tasks();
  std::erase(tasks, *current_task());
  for (auto& task : tasks) task.cancel();
  if (!tasks.empty()) co_await wait(tasks);
}

template <class T>
T run_by_hand(Coro<T> main_coro) {
  EventLoop loop = new_event_loop();
  set_event_loop(loop);
  auto task = loop.create_task(std::move(main_coro));
  std::exception_ptr error;
  try {
    loop.run_until_complete(task);
  } catch (...) {  // thrown again below, by task.result()
    error = std::current_exception();
  }
  loop.run_until_complete(cancel_leftovers());
  loop.run_until_complete(loop.shutdown_asyncgens());
  loop.run_until_complete(loop.shutdown_default_executor());
  set_event_loop(std::nullopt);
  loop.close();
  if (error) std::rethrow_exception(error);
  return task.result();
}
// [/by_hand]

Coro<> leftover() {
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    std::cout << "leftover cancelled\n";
    throw;
  }
}

Coro<int> program() {
  create_task(leftover);
  co_await sleep(1ms);
  co_return 42;
}

int main() { std::cout << run_by_hand(program()) << "\n"; }
