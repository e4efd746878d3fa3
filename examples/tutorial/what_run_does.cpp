// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <future>
#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [run]
Coro<> leftover() {
  try {
    co_await sleep(1h);
  } catch (const CancelledError&) {
    std::cout << "2. tasks that are left are cancelled, and waited for\n";
    throw;
  }
}

AsyncGenerator<int> numbers(std::promise<void> closed) {
  try {
    for (int i = 0;; ++i) co_yield i;
  } catch (const GeneratorExit&) {
    std::cout << "3. generators that are suspended are closed\n";
    closed.set_value();
    throw;
  }
}

void job_in_thread(std::shared_future<void> go) {
  go.wait();
  std::cout << "4. the threads of the default executor are joined\n";
}

Coro<EventLoop> program(AsyncGenerator<int>& generator, std::shared_future<void> closed) {
  create_task(leftover);
  co_await generator.next();
  get_running_loop().run_in_executor(nullptr, job_in_thread, std::move(closed));
  co_await sleep(1ms);
  std::cout << "1. the main coroutine runs to its end\n";
  co_return get_running_loop();
}

int main() {
  std::promise<void> closed;
  std::shared_future<void> is_closed = closed.get_future().share();
  auto generator = numbers(std::move(closed));
  EventLoop loop = run(program(generator, std::move(is_closed)));
  std::cout << "5. the loop is closed: " << std::boolalpha << loop.is_closed() << "\n";
}
// [/run]
