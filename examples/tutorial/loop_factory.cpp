// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>

using namespace asyncio;
using namespace std::chrono_literals;

// [factory]
Coro<> program() {
  auto loop = get_running_loop();
  std::cout << "a loop on " << loop.backend_name() << "\n";
  loop.call_soon([] { throw ValueError("thrown in a callback"); });
  co_await sleep(0s);
  co_await sleep(0s);
}

EventLoop my_loop() {
  EventLoop loop = new_epoll_event_loop();
  loop.set_exception_handler([](EventLoop, const ExceptionContext& context) {
    std::cout << "my handler: " << describe_exception(context.exception) << "\n";
  });
  return loop;
}

int main() { run(program(), RunOptions().loop_factory(my_loop)); }
// [/factory]
